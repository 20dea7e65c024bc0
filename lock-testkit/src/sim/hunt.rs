//! Looking for a plan that breaks something, and making it small.

use std::fmt;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{Choices, FaultPlan, Finding, Kinds, Run, SimReplay, plans};

/// Which plans are tried.
#[derive(Clone, Copy, Debug)]
pub struct PlanHunt {
    /// What may go wrong.
    pub kinds: Kinds,
    /// How many clients plans may aim at.
    pub clients: u32,
    /// The names of points that plans may aim at.
    pub points: &'static [&'static str],
    /// How many faults a plan has at the most.
    pub faults: usize,
    /// The first seed; the next plan has the next.
    pub first: u64,
    /// How many plans.
    pub plans: u64,
}

impl Default for PlanHunt {
    /// A thousand plans of up to four faults of every kind for three clients, without points.
    fn default() -> Self {
        Self { kinds: Kinds::All, clients: 3, points: &[], faults: 4, first: 0, plans: 1_000 }
    }
}

/// What came of a [`hunt_plans`].
#[derive(Clone, Debug)]
pub struct PlanHunted {
    /// How many plans were run before one failed, that one included.
    pub plans: u64,
    /// The first plan that failed, made small.
    pub failure: Option<Box<PlanFailure>>,
}

/// A plan that breaks something.
#[derive(Clone, Debug)]
pub struct PlanFailure {
    /// What failed first, as it was found.
    pub first: SimReplay,
    /// What is wrong.
    pub finding: Finding,
    /// The smallest run found that fails in the same way.
    pub run: Run,
}

impl fmt::Display for PlanFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.finding)?;
        writeln!(f, "plan: {}", self.run.replay.plan)?;
        writeln!(f, "replay: {}", self.run.replay)?;
        write!(f, "found as: {}", self.first)
    }
}

/// The plan of a seed: the same on every machine, for one version of this crate.
#[must_use]
pub fn generate_plan(
    seed: u64,
    kinds: Kinds,
    clients: u32,
    faults: usize,
    points: &'static [&'static str],
) -> FaultPlan {
    let hunt = PlanHunt { kinds, clients, points, faults, ..PlanHunt::default() };
    tree(&hunt, seed).map_or(FaultPlan::NONE, |tree| tree.current())
}

/// Runs plan after plan until one breaks something, then makes that one small: first fewer and plainer faults, then fewer
/// choices other than the plainest, until nothing can be left out.
///
/// `run` has a run with this seed and plan, and with these choices if there are some:
///
/// ```
/// use leasehold_testkit::{broken::{BrokenBackend, Bug}, sim::{PlanHunt, Sim, hunt_plans}};
///
/// let hunted = hunt_plans(&PlanHunt::default(), |attempt| {
///     let sim = Sim::new(0).backend(|runtime| BrokenBackend::with_bug(Bug::ReleaseWithoutIdCheck, runtime));
///     sim.attempt(attempt).run(async |node| {
///         let locker = node.locker();
///         for _ in 0..5 {
///             if let Ok(guard) = locker.acquire("job").await {
///                 node.runtime().sleep(guard.remaining() * 2).await;
///                 drop(guard);
///             }
///         }
///     })
/// });
/// assert!(hunted.failure.is_some());
/// ```
pub fn hunt_plans(hunt: &PlanHunt, mut run: impl FnMut(&Attempt) -> Run) -> PlanHunted {
    for number in 0..hunt.plans {
        let seed = hunt.first.wrapping_add(number);
        let Some(tree) = tree(hunt, seed) else { continue };
        let attempt = Attempt { seed, plan: tree.current(), choices: None };
        let found = run(&attempt);
        if let Some(finding) = found.finding().cloned() {
            let failure = shrink(tree, found, finding, &mut run);
            return PlanHunted { plans: number + 1, failure: Some(Box::new(failure)) };
        }
    }
    PlanHunted { plans: hunt.plans, failure: None }
}

/// A run to be had: as [`SimReplay`], but where there are no choices, the seed chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The seed.
    pub seed: u64,
    /// What goes wrong.
    pub plan: FaultPlan,
    /// What to choose.
    pub choices: Option<Choices>,
}

/// So many smaller runs are tried at most.
const TRIES: u32 = 2_000;

struct Shrinking<'a, R> {
    run: &'a mut R,
    check: String,
    left: u32,
    best: Run,
}

fn shrink<R: FnMut(&Attempt) -> Run>(
    mut tree: impl ValueTree<Value = FaultPlan>,
    found: Run,
    finding: Finding,
    run: &mut R,
) -> PlanFailure {
    let first = found.replay.clone();
    // Another flaw is another story.
    let mut shrinking = Shrinking { run, check: finding.check(), left: TRIES, best: found };
    // The plainest choices first: a plan that fails with them says everything.
    shrinking.fails(first.plan.clone(), Some(Choices::default()));
    // The protocol of a proptest value tree: simplify while it fails, complicate when it no longer does.
    let mut more = tree.simplify();
    while more && shrinking.left > 0 {
        more = if shrinking.fails_somehow(&tree.current()) {
            tree.simplify()
        } else {
            tree.complicate()
        };
    }
    shrinking.fewer_faults();
    shrinking.fewer_choices();
    let run = shrinking.best;
    let finding = run.finding().cloned().unwrap_or(finding);
    PlanFailure { first, finding, run }
}

impl<R: FnMut(&Attempt) -> Run> Shrinking<'_, R> {
    /// Whether this fails in the same way; then it is the best so far.
    fn fails(&mut self, plan: FaultPlan, choices: Option<Choices>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let attempt = Attempt { seed: self.best.replay.seed, plan, choices };
        let run = (self.run)(&attempt);
        let fails = run.finding().is_some_and(|found| found.check() == self.check);
        if fails {
            self.best = run;
        }
        fails
    }

    /// … with the plainest choices, with the best so far, or with those of the seed.
    fn fails_somehow(&mut self, plan: &FaultPlan) -> bool {
        let best = self.best.replay.choices.clone();
        let with = [Some(Choices::default()), Some(best), None];
        with.into_iter().any(|choices| self.fails(plan.clone(), choices))
    }

    fn fewer_faults(&mut self) {
        let mut place = 0;
        while place < self.best.replay.plan.faults.len() && self.left > 0 {
            let mut plan = self.best.replay.plan.clone();
            plan.faults.remove(place);
            if !self.fails_somehow(&plan) {
                place += 1;
            }
        }
    }

    /// Makes ever smaller stretches of the choices plain.
    fn fewer_choices(&mut self) {
        let mut stretch = self.best.replay.choices.numbers().len();
        while stretch > 0 && self.left > 0 {
            let mut from = 0;
            while from < self.best.replay.choices.numbers().len() && self.left > 0 {
                let SimReplay { plan, choices, .. } = self.best.replay.clone();
                let plainer = choices.plain_in(from, from + stretch);
                if plainer != choices {
                    self.fails(plan, Some(plainer));
                }
                from += stretch;
            }
            stretch /= 2;
        }
    }
}

fn tree(hunt: &PlanHunt, seed: u64) -> Option<impl ValueTree<Value = FaultPlan> + use<>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { failure_persistence: None, ..Config::default() };
    let strategy = plans(hunt.kinds, hunt.clients, hunt.faults, hunt.points);
    // Only a filter can refuse to make a value, and there is none.
    strategy.new_tree(&mut TestRunner::new_with_rng(config, rng)).ok()
}
