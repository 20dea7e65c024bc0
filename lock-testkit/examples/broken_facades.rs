//! Puts every broken façade to the test in the simulator, and prints which check caught it.
//!
//! `cargo run --release -p leasehold-testkit --example broken_facades [-- --plans N]`: at most `N` fault plans for each hunt
//! (default 1000). One row for each bug: name, guarantee, check, median number of plans.
//! The exit status is 1 if a bug survives or the correct holder is rejected, 2 for wrong usage.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;

use leasehold_testkit::{
    broken::facade::{FACADE_PLANS, FacadeBug, put_facade_to_the_test, simulate_facade},
    sim::{PlanHunt, hunt_plans},
};

const HUNTS: u64 = 11;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plans = match arguments.as_slice() {
        [] => Some(FACADE_PLANS.plans),
        [flag, number] if flag == "--plans" => number.parse().ok().filter(|number| *number > 0),
        _ => None,
    };
    let Some(plans) = plans else {
        eprintln!("usage: broken_facades [--plans N]");
        return ExitCode::from(2);
    };
    println!("{:32} {:9} {:46} {:>6}", "name", "guarantee", "caught_by", "median");
    let mut caught = 0;
    for bug in FacadeBug::ALL {
        let trial = put_facade_to_the_test(*bug, plans, HUNTS);
        println!("{trial}");
        caught += usize::from(trial.caught.is_some());
    }
    let hunt = PlanHunt { plans, ..FACADE_PLANS };
    let alarm = hunt_plans(&hunt, |attempt| simulate_facade(None, attempt)).failure;
    if let Some(failure) = &alarm {
        eprintln!("the correct holder is rejected: {failure}");
    }
    let alarms = usize::from(alarm.is_some());
    println!("caught {caught}/{}, false alarms {alarms}", FacadeBug::ALL.len());
    if caught == FacadeBug::ALL.len() && alarms == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
