//! The bugs of the catalogue that only show when something goes wrong are found by fault plans, and by nothing else.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold::Lease;
use leasehold_testkit::{
    broken::{BrokenBackend, Bug},
    sim::{
        Action, Attempt, Fault, Finding, Kinds, Node, PlanHunt, PlanHunted, Sim, Who,
        generate_plan, hunt_plans,
    },
};

use super::bodies::{POINTS, everything};

/// Bugs that correct lockers never meet as long as nothing goes wrong, with what it takes.
const NEED_FAULTS: &[(Bug, &str)] = &[
    // An acquire that comes twice, or after its release.
    (Bug::RepeatGetsNewToken, "an acquire twice"),
    (Bug::RepeatIsHeld, "an acquire twice"),
    (Bug::TombstoneMissing, "an acquire after its release"),
    (Bug::UnknownIdNotBuried, "an acquire after its release"),
    // A release that comes twice, or too late.
    (Bug::SecondReleaseFreesNext, "a release twice"),
    (Bug::ReleaseAppliedLate, "a release beside another grant"),
    (Bug::HeldAfterRelease, "an acquire right behind a release"),
    // A renewal that comes too late.
    (Bug::ExtendRevivesExpired, "a renewal after the end"),
    (Bug::ExtendWithoutIdCheck, "a renewal after the next grant"),
    (Bug::ExtendTooLateIsLost, "a renewal just before the end"),
    (Bug::ExtendAdds, "a holder that dies right after its renewal"),
    // A client that dies in the middle.
    (Bug::DroppedWaiterIsGranted, "a waiter that dies"),
    (Bug::TtlSetInSecondStep, "a client that dies between two commands"),
    // Two things at one moment.
    (Bug::ClientClockDecides, "a request in the last moment of a lease"),
    (Bug::TokenFromClock, "two grants in a millisecond"),
];

/// So many plans find each of them.
const PLANS: u64 = 3_000;

const HUNT: PlanHunt = PlanHunt {
    kinds: Kinds::Survivable,
    clients: 3,
    points: &POINTS,
    faults: 4,
    first: 0,
    plans: PLANS,
};

fn with(bug: Option<Bug>) -> Sim {
    Sim::new(0).clients(3).backend(move |runtime| match bug {
        Some(bug) => BrokenBackend::with_bug(bug, runtime),
        None => BrokenBackend::correct(runtime),
    })
}

/// The first plan that finds something wrong, with its finding.
fn first_found(bug: Option<Bug>, hunt: &PlanHunt) -> Option<(u64, Finding)> {
    let sim = with(bug);
    (0..hunt.plans).find_map(|seed| {
        let plan = generate_plan(seed, hunt.kinds, hunt.clients, hunt.faults, hunt.points);
        let run = sim.clone().attempt(&Attempt { seed, plan, choices: None }).run(everything);
        Some((seed + 1, run.finding()?.clone()))
    })
}

#[test]
fn a_bug_that_needs_faults_is_found_by_generated_plans() {
    let survivors: Vec<_> = NEED_FAULTS
        .iter()
        .filter(|(bug, _)| {
            !matches!(first_found(Some(*bug), &HUNT), Some((_, Finding::Backend(_))))
        })
        .collect();
    assert!(survivors.is_empty(), "{survivors:?}");
}

#[test]
fn without_faults_none_of_them_shows() {
    for (bug, _) in NEED_FAULTS {
        for seed in 0..200 {
            let attempt = Attempt { seed, ..Attempt::default() };
            let run = with(Some(*bug)).attempt(&attempt).run(everything);
            assert_eq!(run.findings, [], "{bug:?} needs no fault: seed {seed}");
        }
    }
}

#[test]
fn the_same_backend_without_a_bug_survives_the_plans() {
    assert_eq!(first_found(None, &HUNT), None);
}

/// The lease of whoever came last.
type Inside = Arc<Mutex<Option<Lease>>>;

/// Takes the lock and says so if somebody else still has it: no loss of data is an excuse.
async fn alone(node: Node, inside: Inside) {
    let locker = node.locker();
    for _ in 0..8 {
        if let Ok(guard) = locker.lock("job").wait(Duration::from_secs(4)).acquire().await {
            let before = inside.lock().unwrap().replace((*guard).clone());
            if before.is_some_and(|before| before.is_valid()) && guard.is_valid() {
                node.fail("two holders at once");
            }
            node.point("write").await;
            node.runtime().sleep(Duration::from_millis(700)).await;
            let _released = guard.release().await;
        }
        node.runtime().sleep(Duration::from_millis(50)).await;
    }
}

/// Whether it can be told who holds a lease: not of the dead, and not by a server whose clock is wrong.
fn can_be_told(fault: &Fault) -> bool {
    !matches!(fault.action, Action::Crash { .. } | Action::Step { who: Who::Server, .. })
}

fn hunt_loss(sim: &Sim) -> PlanHunted {
    hunt_plans(&PlanHunt { kinds: Kinds::All, plans: 1_000, ..HUNT }, |attempt| {
        let mut attempt = attempt.clone();
        attempt.plan.faults.retain(can_be_told);
        let inside = Inside::default();
        sim.clone().attempt(&attempt).run(|node| alone(node, Arc::clone(&inside)))
    })
}

#[test]
fn a_server_without_a_quarantine_is_found_by_one_loss_of_its_data_and_one_with_it_never() {
    let sim = Sim::new(0).clients(3);
    let failure = hunt_loss(&sim.clone().quarantine(Duration::ZERO)).failure;
    let failure = failure.expect("two hold the key after a loss");
    assert_eq!(failure.finding, Finding::Failed("two holders at once".to_owned()), "{failure}");
    let [fault] = &failure.run.replay.plan.faults[..] else { panic!("{failure}") };
    let loss =
        matches!(fault.action, Action::Restart { data: false, .. } | Action::Failover { .. });
    assert!(loss, "{failure}");
    let with = hunt_loss(&sim).failure;
    assert!(with.is_none(), "{}", with.unwrap());
}
