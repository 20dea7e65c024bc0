//! Putting a broken backend to the test, and the correct ones.

use std::fmt;

use super::{BrokenBackend, Bug, FoundBy, Scenario};
use crate::generate::{Finding, Profile, Program, generate, on_virtual_time};

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
        write!(f, "{:32} {:9} {caught_by:46} {median:>6}", self.bug.name(), self.bug.guarantee())
    }
}

/// The program that a hunt tries as its `number`th: three on the grid, then one with latency.
#[must_use]
pub fn nth_program(seed: u64, number: u64) -> (Profile, Program) {
    let profile = if number % 4 == 3 { Profile::Latency } else { Profile::Grid };
    (profile, generate(profile, seed.wrapping_add(number)))
}

/// Puts the backend with this bug to the test that the catalogue names for it. A bug for programs is hunted `hunts`
/// times, with at most `programs` programs each, and counts as caught if most hunts bring it home.
#[must_use]
pub fn put_to_the_test(bug: Bug, programs: u64, hunts: u64) -> Trial {
    match bug.found_by() {
        FoundBy::Scenario(name) => by_scenario(bug, name),
        FoundBy::Programs => by_programs(bug, programs, hunts),
    }
}

fn by_programs(bug: Bug, programs: u64, hunts: u64) -> Trial {
    const APART: u64 = 1 << 32;
    let mut caught: Vec<_> =
        (0..hunts).filter_map(|hunt| first_caught(bug, hunt * APART, programs)).collect();
    caught.sort();
    // The hunts that came back with nothing took longer than any other.
    let middle = usize::try_from(hunts / 2).unwrap_or(usize::MAX);
    let (median, caught_by) = caught.into_iter().nth(middle).unzip();
    Trial { bug, caught_by, median }
}

/// How many programs a hunt took, and the check that caught the bug.
fn first_caught(bug: Bug, seed: u64, programs: u64) -> Option<(u64, String)> {
    (0..programs).find_map(|number| {
        let (_, program) = nth_program(seed, number);
        let ran = on_virtual_time(&program, |runtime| BrokenBackend::with_bug(bug, runtime));
        let finding = ran.finding.filter(Finding::is_violation)?;
        Some((number + 1, finding.check()))
    })
}

fn by_scenario(bug: Bug, name: &str) -> Trial {
    let fails = |scenario: &&Scenario| {
        scenario.play(|runtime| BrokenBackend::with_bug(bug, runtime)).is_err()
    };
    let caught = Scenario::named(name).filter(fails);
    let caught_by = caught.map(|scenario| format!("scenario {}", scenario.name()));
    Trial { bug, caught_by, median: None }
}
