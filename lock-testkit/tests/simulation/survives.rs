//! What is correct passes.

use leasehold_testkit::sim::{Kinds, Sim, Storm, generate_plan};

use super::bodies::{POINTS, work};

/// How many plans a correct locker on a correct backend must survive.
const PLANS: u64 = 3_000;

/// The replays of the runs that did not pass, with what is wrong.
fn failures(kinds: Kinds, storm: Storm) -> String {
    let mut failures = String::new();
    for seed in 0..PLANS {
        let plan = generate_plan(seed, kinds, 3, 4, &POINTS);
        let run = Sim::new(seed).clients(3).plan(plan).storm(storm).run(work);
        let wrong = run.finding().map(ToString::to_string).or(run.undecided);
        if let Some(wrong) = wrong {
            failures += &format!("{wrong}\n{}\n", run.replay);
        }
    }
    failures
}

#[test]
fn a_correct_locker_on_a_correct_backend_survives_every_plan() {
    assert_eq!(failures(Kinds::All, Storm::default()), "");
}

#[test]
fn it_survives_plans_in_a_storm() {
    assert_eq!(failures(Kinds::Survivable, Storm::MIXED), "");
}
