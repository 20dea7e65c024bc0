//! Every façade with a bug is found by generated plans; the correct ones pass them all.

use std::collections::BTreeSet;

use leasehold_testkit::{
    broken::facade::{
        FACADE_PLANS, FacadeBug, hunt_facade_bug, put_facade_to_the_test, simulate_facade,
    },
    sim::{Attempt, Kinds, PlanHunt, Sim, hunt_plans},
};

use super::bodies::everything;

#[test]
fn every_bug_of_a_facade_is_found_within_a_thousand_plans_by_the_check_of_its_guarantee() {
    let mut wrong = Vec::new();
    for bug in FacadeBug::ALL {
        let trial = put_facade_to_the_test(*bug, FACADE_PLANS.plans, 5);
        let check = trial.caught.as_ref().map_or("nothing", |(_, check)| check);
        let expected: &[&str] = match bug.guarantee() {
            "G5" => &["orphan"],
            "G9" => &["failed"],
            _ => &["validity", "two holders"],
        };
        if !expected.contains(&check) {
            wrong.push(trial.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_holder_without_a_bug_survives_every_plan() {
    for kinds in [Kinds::Survivable, Kinds::All] {
        let hunt = PlanHunt { kinds, plans: 3_000, ..FACADE_PLANS };
        let hunted = hunt_plans(&hunt, |attempt| simulate_facade(None, attempt));
        assert!(hunted.failure.is_none(), "{}", hunted.failure.unwrap());
    }
}

#[test]
fn a_locker_that_does_the_same_survives_every_plan() {
    for kinds in [Kinds::Survivable, Kinds::All] {
        let hunt = PlanHunt { kinds, plans: 2_000, ..FACADE_PLANS };
        let sim = Sim::new(0).clients(3);
        let hunted = hunt_plans(&hunt, |attempt| sim.clone().attempt(attempt).run(everything));
        assert!(hunted.failure.is_none(), "{}", hunted.failure.unwrap());
    }
}

#[test]
fn a_flag_that_a_timer_clears_is_found_by_one_pause() {
    let hunted = hunt_facade_bug(FacadeBug::ValidityByTimer, &FACADE_PLANS);
    let failure = hunted.failure.expect("one of a thousand plans finds it");
    assert_eq!(failure.run.replay.plan.faults.len(), 1, "{failure}");
    let again = Attempt {
        seed: failure.run.replay.seed,
        plan: failure.run.replay.plan.clone(),
        choices: Some(failure.run.replay.choices.clone()),
    };
    let bug = Some(FacadeBug::ValidityByTimer);
    assert_eq!(simulate_facade(bug, &again).findings, failure.run.findings);
    assert_eq!(simulate_facade(None, &again).findings, []);
}

#[test]
fn each_bug_of_a_facade_has_a_name_of_its_own() {
    let names: BTreeSet<_> = FacadeBug::ALL.iter().map(|bug| bug.name()).collect();
    assert_eq!(names.len(), FacadeBug::ALL.len());
}
