//! The checkers against each other over small random histories.
//!
//! [`random_history`] simulates a service that keeps the specification, with overlapping operations,
//! lost answers and waiters, and then corrupts some of its histories; [`compare`] has a history judged by brute
//! force, the lock checker and the general checker.

mod busy;
mod corrupt;
mod simulate;
mod ticks;

pub use busy::{Shape, busy_history};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::lock::{Options, Verdict};
use super::{Limits, brute, linear, lock};
use crate::history::History;
use crate::model::lock::{Policy, Slack};

/// A random history and how to judge it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The history.
    pub history: History,
    /// The parameters.
    pub options: Options,
    /// Whether it was changed after the simulation (and so may be wrong).
    pub corrupted: bool,
}

/// The history of one seed: up to `most` operations, half of the histories corrupted.
#[must_use]
pub fn random_history(seed: u64, most: usize) -> Case {
    let mut rng = SmallRng::seed_from_u64(seed);
    let resolution_ns = rng.random_range(0..=2_u64).saturating_sub(rng.random_range(0..=1));
    let jitter_ns = u64::from(rng.random_bool(0.15));
    let slack = Slack { rate_ppm: 0, jitter_ns, resolution_ns };
    let policy = Policy {
        tombstones: rng.random_bool(0.8),
        fifo: rng.random_bool(0.8),
        honest_reasons: rng.random_bool(0.8),
    };
    let limits = Limits { explored: 60_000, alive: 100_000 };
    let options = Options { slack, policy, limits };
    let history = simulate::history(&mut rng, &options, most);
    let corrupted = rng.random_bool(0.5);
    let history = if corrupted { corrupt::one(&mut rng, &history) } else { history };
    Case { history, options, corrupted }
}

/// What the checkers said about one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Brute force; `None` if it gave up.
    pub brute: Option<bool>,
    /// The lock checker; `None` if it gave up.
    pub lock: Option<bool>,
    /// The general checker; `None` if it gave up or was not asked.
    pub linear: Option<bool>,
}

impl Compared {
    /// Whether two of them contradict each other.
    #[must_use]
    pub fn disagree(&self) -> bool {
        let said: Vec<bool> = [self.brute, self.lock, self.linear].into_iter().flatten().collect();
        said.windows(2).any(|pair| pair[0] != pair[1])
    }
}

/// Has a case judged by each checker; by the general one, which is the slowest, if `general`.
#[must_use]
pub fn compare(case: &Case, general: bool) -> Compared {
    let lock = match lock::check(&case.history, &case.options).verdict {
        Verdict::Ok => Some(true),
        Verdict::Violation(_) => Some(false),
        Verdict::Unknown(_) => None,
    };
    let brute = brute::allows(&case.history, &case.options);
    let linear = if general { general_verdict(case) } else { None };
    Compared { brute, lock, linear }
}

/// The general checker's verdict, over the specification as a [`Model`](crate::model::Model).
fn general_verdict(case: &Case) -> Option<bool> {
    let rules = brute::Rules::new(&case.history, &case.options);
    let model = ticks::Ticks::new(&rules);
    let limits = Limits { explored: 20_000, ..case.options.limits };
    match linear::check(&model, &ticks::recorded(&rules), limits).verdict {
        linear::Verdict::Ok => Some(true),
        linear::Verdict::Violation(_) => Some(false),
        linear::Verdict::Unknown(_) => None,
    }
}
