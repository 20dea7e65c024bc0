//! One seed, one run.

use std::{
    env,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    process::Command,
};

use leasehold_testkit::sim::{Kinds, Sim, SimReplay, Storm, generate_plan};

use super::bodies::{POINTS, transcript, work};

fn sim(seed: u64) -> Sim {
    let plan = generate_plan(seed, Kinds::All, 3, 4, &POINTS);
    Sim::new(seed).clients(3).plan(plan).storm(Storm::MIXED)
}

#[test]
fn one_seed_gives_one_run_byte_for_byte() {
    for seed in 0..50 {
        let (one, other) = (sim(seed).run(work), sim(seed).run(work));
        assert!(transcript(&one) == transcript(&other), "seed {seed}");
    }
}

#[test]
fn two_seeds_give_two_runs() {
    assert_ne!(transcript(&sim(1).run(work)), transcript(&sim(2).run(work)));
}

#[test]
fn a_run_is_repeated_by_its_replay_as_text() {
    for seed in 0..50 {
        let run = sim(seed).run(work);
        let replay: SimReplay = run.replay.to_string().parse().unwrap();
        assert_eq!(replay, run.replay);
        let again = sim(seed + 1).again(replay).run(work);
        assert!(transcript(&again) == transcript(&run), "seed {seed}");
    }
}

/// What happened in some runs, in one number.
fn digest() -> u64 {
    let mut hasher = DefaultHasher::new();
    for seed in 0..50 {
        transcript(&sim(seed).run(work)).hash(&mut hasher);
    }
    hasher.finish()
}

const CHILD: &str = "LEASEHOLD_SIMULATION_DIGEST";

#[test]
fn another_process_has_the_same_runs() {
    if env::var_os(CHILD).is_some() {
        println!("digest={:016x}", digest());
        return;
    }
    let name = "determinism::another_process_has_the_same_runs";
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args([name, "--exact", "--nocapture"]).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mine = format!("digest={:016x}", digest());
    assert!(said.contains(&mine), "{mine}, but the other process said: {said}");
}
