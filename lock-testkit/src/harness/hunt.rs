//! Looking for a plan that breaks the subject.

use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    Case, Failure, Harness, Subject,
    aim::aimed_plans,
    shrink::{Generated, shrink},
};
use crate::sim::FaultPlan;

/// What came of [`Harness::hunt`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Hunted<Op, Out> {
    /// How many plans were run, the one that failed included.
    pub plans: u64,
    /// In how many of them a check came to no verdict.
    pub undecided: u64,
    /// The first one that failed, made small.
    pub failure: Option<Box<Failure<Op, Out>>>,
}

impl<S: Subject> Harness<S> {
    /// The plan and the operations of a seed: the same on every machine, for one version of this crate.
    #[must_use]
    pub fn case(&self, seed: u64) -> Case<S::Op> {
        case(seed, self.tree(seed).map(|tree| tree.current()))
    }

    /// Runs the plans of so many seeds from `first` on until one breaks the subject, then makes that one small: first
    /// fewer and plainer faults and operations, then fewer choices other than the plainest, until no fault and no operation
    /// can be left out.
    pub fn hunt(&self, first: u64, plans: u64) -> Hunted<S::Op, S::Out> {
        let mut undecided = 0;
        for number in 0..plans {
            let seed = first.wrapping_add(number);
            let Some(tree) = self.tree(seed) else { continue };
            let tried = self.run(&case(seed, Some(tree.current())));
            undecided += u64::from(tried.run.undecided.is_some());
            if !tried.run.is_ok() {
                let failure = Some(Box::new(shrink(self, seed, tree, tried)));
                return Hunted { plans: number + 1, undecided, failure };
            }
        }
        Hunted { plans, undecided, failure: None }
    }

    /// Passes if none of the first so many plans breaks the subject: for tests.
    ///
    /// # Panics
    /// With the report if one does.
    pub fn check(&self, plans: u64) {
        if let Some(failure) = self.hunt(0, plans).failure {
            panic!("{failure}");
        }
    }

    fn tree(&self, seed: u64) -> Option<impl ValueTree<Value = Generated<S::Op>>> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config = Config { failure_persistence: None, ..Config::default() };
        let clients = usize::try_from(self.clients).unwrap_or(1);
        let programs = vec(vec(self.subject.operations(), 1..=self.operations), clients);
        let plans = aimed_plans(self.kinds, self.clients, self.faults, S::POINTS);
        // Only a filter of the user's can refuse to make a value; then there is no plan for this seed.
        (plans, programs).new_tree(&mut TestRunner::new_with_rng(config, rng)).ok()
    }
}

fn case<Op>(seed: u64, generated: Option<(FaultPlan, Vec<Vec<Op>>)>) -> Case<Op> {
    let (plan, programs) = generated.unwrap_or_default();
    Case { seed, plan, choices: None, programs }
}
