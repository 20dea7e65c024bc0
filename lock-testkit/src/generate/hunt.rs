//! Looking for a program that a backend fails, and making it small.

use std::fmt;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    judge::{Finding, Ran},
    program::Program,
    reduce::reduce,
    strategy::{Profile, programs},
};
use crate::{history::History, report::Evidence};

/// Which programs are tried.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// What they look like.
    pub profile: Profile,
    /// The seed of the first; the next has the next seed.
    pub first: u64,
    /// How many.
    pub programs: u64,
}

/// What came of a [`hunt`].
#[derive(Clone, Debug, Default)]
pub struct Hunted {
    /// How many programs were run.
    pub programs: u64,
    /// What their histories showed, all together.
    pub evidence: Evidence,
    /// The first program that failed; the hunt ended with it.
    pub failure: Option<Box<Failure>>,
}

/// A program that a backend fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The profile and the seed that made the program that failed first.
    pub profile: Profile,
    /// The seed.
    pub seed: u64,
    /// The program that failed first.
    pub first: Program,
    /// The smallest program found that fails too.
    pub program: Program,
    /// What is wrong with the run of the smallest.
    pub finding: Finding,
    /// The history of the smallest.
    pub history: History,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.finding)?;
        writeln!(f, "program: {}", self.program)?;
        writeln!(f, "found as {}:{}", self.profile, self.seed)?;
        write!(
            f,
            "replay: cargo run -p leasehold-testkit --example torture -- --replay '{}'",
            self.program
        )
    }
}

/// So many smaller programs are tried at most.
const SHRINKS: u32 = 5_000;

/// The program of a seed: the same on every machine, for one version of this crate.
#[must_use]
pub fn generate(profile: Profile, seed: u64) -> Program {
    tree(profile, seed).map_or_else(Program::default, |tree| tree.current())
}

/// Runs program after program, until one fails. `run` runs one on the backend and judges it.
pub fn hunt(hunt: &Hunt, mut run: impl FnMut(&Program) -> Ran) -> Hunted {
    let mut hunted = Hunted::default();
    for seed in (0..hunt.programs).map(|number| hunt.first.wrapping_add(number)) {
        let ran = run(&generate(hunt.profile, seed));
        hunted.evidence += Evidence::of(&ran.history);
        hunted.programs += 1;
        if ran.finding.is_some() {
            hunted.failure = shrink(hunt.profile, seed, &mut run).map(Box::new);
            break;
        }
    }
    hunted
}

/// Makes the program of this seed as small as it can be while it fails. `None` if it does not fail (any more).
pub fn shrink(
    profile: Profile,
    seed: u64,
    mut run: impl FnMut(&Program) -> Ran,
) -> Option<Failure> {
    let mut tree = tree(profile, seed)?;
    let first = tree.current();
    let ran = run(&first);
    let mut failed = (first.clone(), ran.finding?, ran.history);
    // Another flaw is another story.
    let check = failed.1.check();
    let mut fails = |program: &Program| {
        let ran = run(program);
        let same = ran.finding.filter(|found| found.check() == check);
        let fails = same.is_some();
        if let Some(found) = same {
            failed = (program.clone(), found, ran.history);
        }
        fails
    };
    // The protocol of a proptest value tree: simplify while it fails, complicate when it no longer does.
    let mut more = tree.simplify();
    let mut smallest = first.clone();
    for _ in 0..SHRINKS {
        if !more {
            break;
        }
        let smaller = tree.current();
        more = if fails(&smaller) {
            smallest = smaller;
            tree.simplify()
        } else {
            tree.complicate()
        };
    }
    reduce(smallest, SHRINKS, &mut fails);
    let (program, finding, history) = failed;
    Some(Failure { profile, seed, first, program, finding, history })
}

fn tree(profile: Profile, seed: u64) -> Option<impl ValueTree<Value = Program>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { failure_persistence: None, ..Config::default() };
    // Only a filter can refuse to make a value, and there is none.
    programs(profile).new_tree(&mut TestRunner::new_with_rng(config, rng)).ok()
}
