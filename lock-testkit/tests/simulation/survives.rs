//! What is correct passes.

use leasehold_testkit::sim::{Kinds, Sim, generate_plan};

use super::bodies::{POINTS, work};

/// How many plans a correct locker on a correct backend must survive.
const PLANS: u64 = 3_000;

#[test]
fn a_correct_locker_on_a_correct_backend_survives_every_plan() {
    for seed in 0..PLANS {
        let plan = generate_plan(seed, Kinds::All, 3, 4, &POINTS);
        let run = Sim::new(seed).clients(3).plan(plan).run(work);
        assert!(run.is_ok(), "{}\n{}\n{}", run.finding().unwrap(), run.replay, run.trace);
        assert_eq!(run.undecided, None, "{}", run.replay);
    }
}
