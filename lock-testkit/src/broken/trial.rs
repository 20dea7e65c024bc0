//! Putting a broken backend to the test, and the correct ones.

use std::fmt;

use leasehold::LockBackend;
use leasehold::Runtime;

use super::{BrokenBackend, Bug, Scenario};
use crate::{
    check::lock::Options,
    generate::{Finding, Profile, Program, Ran, generate, judge, on_virtual_time},
};

/// What came of putting one broken backend to the test.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The bug.
    pub bug: Bug,
    /// The check that caught it; `None` if it survived.
    pub caught_by: Option<String>,
    /// How many generated programs it took, in the median of the hunts; `None` if it was caught otherwise.
    pub median: Option<u64>,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = self.median.map_or_else(|| "-".to_owned(), |median| median.to_string());
        let caught_by = self.caught_by.as_deref().unwrap_or("nothing");
        write!(
            f,
            "{:32} {:9} {caught_by:46} {median:>6}",
            self.bug.name(),
            self.bug.guarantee()
        )
    }
}

/// Runs this program on a backend of this process.
///
/// # Errors
/// The run never ends.
pub fn run_on<B: LockBackend>(program: &Program, start: impl FnOnce(Runtime) -> B) -> Ran {
    on_virtual_time(program, start).map_err(|(stuck, _)| Finding::Stuck(stuck))
}

/// The program that a hunt tries as its `number`th: three on the grid, then one with latency.
#[must_use]
pub fn nth_program(seed: u64, number: u64) -> (Profile, Program) {
    let profile = if number % 4 == 3 { Profile::Latency } else { Profile::Grid };
    (profile, generate(profile, seed.wrapping_add(number)))
}

/// Hunts `hunts` times, with at most `programs` programs each; if most hunts come back with nothing, the
/// scenarios are played.
#[must_use]
pub fn put_to_the_test(bug: Bug, programs: u64, hunts: u64) -> Trial {
    const APART: u64 = 1 << 32;
    let mut took = Vec::new();
    let mut checks = Vec::new();
    let mut in_vain = 0;
    for hunt in 0..hunts {
        match first_caught(bug, hunt * APART, programs) {
            Some((number, check)) => {
                took.push(number);
                checks.push(check);
            }
            None => in_vain += 1,
        }
        if in_vain * 2 > hunts {
            return by_scenario(bug);
        }
    }
    took.sort_unstable();
    let middle = usize::try_from(hunts / 2).unwrap_or(0).min(took.len().saturating_sub(1));
    let caught_by = checks.first().map(ToString::to_string);
    Trial { bug, caught_by, median: took.get(middle).copied() }
}

/// How many programs a hunt took, and the check that caught the bug.
fn first_caught(bug: Bug, seed: u64, programs: u64) -> Option<(u64, &'static str)> {
    (0..programs).find_map(|number| {
        let (_, program) = nth_program(seed, number);
        let finding = match run_on(&program, |runtime| BrokenBackend::with_bug(bug, runtime)) {
            Err(finding) => Some(finding),
            Ok(history) => judge(&history, &Options::default()),
        };
        let finding = finding.filter(Finding::is_violation)?;
        Some((number + 1, finding.check()))
    })
}

fn by_scenario(bug: Bug) -> Trial {
    let caught = Scenario::all().iter().find(|scenario| {
        scenario.play(|runtime| BrokenBackend::with_bug(bug, runtime)).is_err()
    });
    let caught_by = caught.map(|scenario| format!("scenario {}", scenario.name()));
    Trial { bug, caught_by, median: None }
}
