//! What is wrong is found, and made small.

use leasehold::AcquireRequest;
use leasehold_testkit::{
    broken::{BrokenBackend, Bug},
    sim::{Action, Attempt, Fault, Finding, Kinds, PlanHunt, Sim, hunt_plans},
};

use super::bodies::{POINTS, work};

const HUNT: PlanHunt =
    PlanHunt { kinds: Kinds::All, clients: 3, points: &POINTS, faults: 4, first: 0, plans: 500 };

#[test]
fn a_backend_with_a_bug_is_found_and_its_plan_made_small() {
    let sim = Sim::new(0)
        .clients(3)
        .backend(|runtime| BrokenBackend::with_bug(Bug::ExtendRevivesExpired, runtime));
    let hunted = hunt_plans(&HUNT, |attempt| sim.clone().attempt(attempt).run(work));
    let failure = hunted.failure.expect("the bug is found");
    assert!(matches!(failure.finding, Finding::Backend(_)), "{failure}");
    assert_eq!(failure.run.replay.plan.faults.len(), 1, "{failure}");
    assert!(failure.run.replay.choices.unusual() <= 3, "{failure}");
    let again = sim.again(failure.run.replay.clone()).run(work);
    assert_eq!(again.findings, failure.run.findings);
}

/// Checks its lease, and writes without a fence.
async fn check_then_write(node: leasehold_testkit::sim::Node) {
    let backend = node.backend();
    let locker = node.locker();
    let Ok(guard) = locker.acquire("job").await else { return };
    if guard.is_valid() {
        node.point("write").await;
        if !guard.is_valid() {
            node.fail("stale write");
        }
    }
    let key = guard.key().clone();
    let id = node.runtime().lease_id();
    let ttl = leasehold::Ttl::new(std::time::Duration::from_secs(1)).unwrap();
    let _answer = backend.try_acquire(&AcquireRequest::new(key, id, ttl)).await;
}

#[test]
fn the_smallest_plan_for_a_stale_write_is_one_pause_before_the_write() {
    let sim = Sim::new(0).clients(3);
    let run = |attempt: &Attempt| sim.clone().attempt(attempt).run(check_then_write);
    let hunted = hunt_plans(&PlanHunt { points: &["write"], ..HUNT }, run);
    let failure = hunted.failure.expect("random pauses before the write are common enough");
    let plan = &failure.run.replay.plan;
    assert_eq!(failure.finding, Finding::Failed("stale write".to_owned()), "{failure}");
    assert_eq!(plan.faults.len(), 1, "{failure}");
    assert!(matches!(plan.faults[0].action, Action::Pause { .. }), "{failure}");
    assert_eq!(failure.run.replay.choices.unusual(), 0, "{failure}");
}

#[test]
fn a_correct_backend_in_place_of_the_broken_one_passes_the_same_plans() {
    let sim = Sim::new(0).clients(3).backend(BrokenBackend::correct);
    let hunt = PlanHunt { kinds: Kinds::Survivable, ..HUNT };
    let hunted = hunt_plans(&hunt, |attempt| sim.clone().attempt(attempt).run(work));
    assert!(hunted.failure.is_none(), "{}", hunted.failure.unwrap());
}

#[test]
fn a_backend_that_counts_its_tokens_is_found_by_one_loss_of_its_data() {
    let sim = Sim::new(0).clients(3).backend(BrokenBackend::correct);
    let hunted = hunt_plans(&HUNT, |attempt| sim.clone().attempt(attempt).run(work));
    let failure = hunted.failure.expect("it counts from 1 again");
    let plan = &failure.run.replay.plan;
    assert!(matches!(plan.faults[..], [Fault { action: Action::Restart { data: false, .. }, .. }]));
    assert!(failure.finding.to_string().contains("token 1 is not greater than 1"), "{failure}");
}
