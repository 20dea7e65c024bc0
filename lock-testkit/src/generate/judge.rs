//! The verdict on one run.

use std::fmt;

use crate::{
    check::{
        Reached,
        invariants::{Bounds, Broken, broken},
        lock::{self, Impasse, Options, Verdict},
    },
    execute::Stuck,
    history::{History, Operation},
    report::{Replay, Report},
};

/// A run and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What was recorded.
    pub history: History,
    /// What is wrong, if anything.
    pub finding: Option<Finding>,
}

/// What is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The lock checker found no explanation.
    Violation(Box<Impasse>),
    /// Every answer can be explained, but something good did not happen in time.
    Broken(Box<Broken>),
    /// The lock checker gave up: no verdict, which is a failure of the check and not of the backend.
    Undecided(Reached),
    /// Clients wait for what never comes.
    Stuck(Stuck),
}

/// What a history is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Criteria {
    /// The lock checker's options.
    pub options: Options,
    /// Bounds that the lock checker has no part in: how long a waiter may sit beside a free key.
    pub bounds: Bounds,
}

impl Criteria {
    /// Checks a history: first by the lock checker, then by the invariants (liveness only where a bound is set).
    ///
    /// In real time nobody notes when a waiter is in the queue; there
    /// [readings](History::with_seen_waiters) are asked.
    #[must_use]
    pub fn judge(&self, history: History) -> Ran {
        let real = !self.options.slack.is_exact();
        let history = if real { history.with_seen_waiters() } else { history };
        let finding = match lock::check(&history, &self.options).verdict {
            Verdict::Violation(impasse) => Some(Finding::Violation(impasse)),
            Verdict::Unknown(reached) => Some(Finding::Undecided(reached)),
            Verdict::Ok => self.broken(&history).map(Finding::Broken),
        };
        Ran { history, finding }
    }

    /// A guarantee that is broken although the lock checker explains every answer: a waiter sat beside a free key for
    /// too long. The other invariants say less than the lock checker, and are asked all the same: two
    /// eyes see more than one.
    fn broken(&self, history: &History) -> Option<Box<Broken>> {
        // Where the effect of an operation is unknown, so is when a key was free.
        let unknown = history.operations().iter().any(Operation::is_unknown);
        let bounds = if unknown { Bounds::default() } else { self.bounds };
        broken(history, &self.options, bounds).into_iter().next().map(Box::new)
    }

    /// The full report on a run that was judged by these criteria.
    #[must_use]
    pub fn report(&self, ran: &Ran, replay: Replay) -> String {
        match &ran.finding {
            Some(finding @ (Finding::Broken(_) | Finding::Stuck(_))) => {
                let checked = lock::check(&ran.history, &self.options);
                let report = Report::new(&ran.history, &self.options, &checked, replay);
                format!("{finding}\n{report}")
            }
            _ => {
                let checked = lock::check(&ran.history, &self.options);
                Report::new(&ran.history, &self.options, &checked, replay).to_string()
            }
        }
    }
}

impl Finding {
    /// Which check found it.
    #[must_use]
    pub fn check(&self) -> String {
        match self {
            Self::Violation(_) => "lock checker".to_owned(),
            Self::Broken(broken) => format!("invariant {:?}", broken.guarantee),
            Self::Undecided(_) => "nothing".to_owned(),
            Self::Stuck(_) => "run that never ends".to_owned(),
        }
    }

    /// Whether the backend is certainly wrong.
    #[must_use]
    pub const fn is_violation(&self) -> bool {
        !matches!(self, Self::Undecided(_))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(impasse) => {
                let Impasse { keys, op, at_ns, states, .. } = &**impasse;
                let at_us = at_ns / 1_000;
                write!(f, "operation {} on {} at {at_us} µs", op.0, keys.join(", "))?;
                f.write_str(" cannot have its outcome: ")?;
                match states.first() {
                    Some(state) => f.write_str(&state.failed),
                    None => f.write_str("no state is possible"),
                }
            }
            Self::Broken(broken) => write!(f, "{:?} {}", broken.guarantee, broken.sentence),
            Self::Undecided(reached) => write!(f, "no verdict: {reached}"),
            Self::Stuck(stuck) => write!(f, "the run never ends: {stuck}"),
        }
    }
}
