//! Putting holders to the test.

use std::{fmt, sync::Arc};

use leasehold::LockKey;

use super::{
    FacadeBug, Holder,
    store::Store,
    work::{Client, POINTS, ttl},
};
use crate::sim::{Attempt, Kinds, PlanHunt, PlanHunted, Run, Sim, hunt_plans};

/// Which plans are tried: up to four faults of every kind under which each guarantee stands, for three clients.
pub const FACADE_PLANS: PlanHunt = PlanHunt {
    kinds: Kinds::Survivable,
    clients: 3,
    points: &POINTS,
    faults: 4,
    first: 0,
    plans: 1_000,
};

/// Has this run: three clients with this bug, or without any, on a correct backend.
///
/// ```
/// use leasehold_testkit::{broken::facade::{FacadeBug, simulate_facade}, sim::Attempt};
///
/// let plan = "pause holder for 2 ttl before check".parse()?;
/// let attempt = Attempt { plan, ..Attempt::default() };
/// assert!(simulate_facade(None, &attempt).is_ok());
/// assert!(!simulate_facade(Some(FacadeBug::ValidityByTimer), &attempt).is_ok());
/// # Ok::<(), leasehold_testkit::sim::ParsePlanError>(())
/// ```
pub fn simulate_facade(bug: Option<FacadeBug>, attempt: &Attempt) -> Run {
    let store = Arc::new(Store::default());
    let sim = Sim::new(0).clients(FACADE_PLANS.clients).ttl(ttl().get());
    sim.attempt(attempt).run(|node| {
        let store = Arc::clone(&store);
        async move {
            let own = LockKey::new(format!("job of client {}", node.number()));
            let (Ok(key), Ok(own)) = (LockKey::new("job"), own) else { return };
            let holder = Holder::new(&node, bug, ttl());
            Client { node, holder, key, own, store }.work().await;
        }
    })
}

/// Looks for a plan that gives this bug away, and makes it small.
pub fn hunt_facade_bug(bug: FacadeBug, hunt: &PlanHunt) -> PlanHunted {
    hunt_plans(hunt, |attempt| simulate_facade(Some(bug), attempt))
}

/// What came of putting one holder to the test.
#[derive(Clone, Debug)]
pub struct FacadeTrial {
    /// The bug.
    pub bug: FacadeBug,
    /// The check that caught it, and in how many plans in the median; `None` if it survived most hunts.
    pub caught: Option<(u64, String)>,
}

/// Hunts a bug `hunts` times, with at most `plans` plans each; it counts as caught if most hunts bring it home.
#[must_use]
pub fn put_facade_to_the_test(bug: FacadeBug, plans: u64, hunts: u64) -> FacadeTrial {
    const APART: u64 = 1 << 32;
    let first = |hunt: u64| first_caught(bug, hunt.wrapping_mul(APART), plans);
    let mut caught: Vec<_> = (0..hunts).filter_map(first).collect();
    caught.sort();
    // The hunts that came back with nothing took longer than any other.
    let middle = usize::try_from(hunts / 2).unwrap_or(usize::MAX);
    FacadeTrial { bug, caught: caught.into_iter().nth(middle) }
}

/// How many plans it took, and the check that caught the bug.
fn first_caught(bug: FacadeBug, first: u64, plans: u64) -> Option<(u64, String)> {
    (0..plans).find_map(|number| {
        let seed = first.wrapping_add(number);
        let PlanHunt { kinds, clients, faults, points, .. } = FACADE_PLANS;
        let plan = crate::sim::generate_plan(seed, kinds, clients, faults, points);
        let run = simulate_facade(Some(bug), &Attempt { seed, plan, choices: None });
        run.finding().map(|finding| (number + 1, finding.check()))
    })
}

impl fmt::Display for FacadeTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, guarantee) = (self.bug.name(), self.bug.guarantee());
        match &self.caught {
            Some((median, check)) => write!(f, "{name:32} {guarantee:9} {check:46} {median:>6}"),
            None => write!(f, "{name:32} {guarantee:9} {:46} {:>6}", "nothing", "-"),
        }
    }
}
