//! Puts every broken backend to the test, and prints which check caught it.
//!
//! `cargo run -p leasehold-testkit --example broken_backends [-- --programs N]`: at most `N` programs for each hunt
//! (default 4000). One row for each bug: name, guarantee, check, median number of programs.
//! The exit status is 1 if a bug survives or a correct backend is rejected, 2 for wrong usage.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;

use leasehold::{LockBackend, Runtime};
use leasehold_memory::MemoryBackend;
use leasehold_testkit::{
    broken::{BrokenBackend, Bug, Scenario, nth_program, put_to_the_test},
    generate::on_virtual_time,
};

const HUNTS: u64 = 11;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let programs = match arguments.as_slice() {
        [] => Some(4_000),
        [flag, number] if flag == "--programs" => number.parse().ok().filter(|number| *number > 0),
        _ => None,
    };
    let Some(programs) = programs else {
        eprintln!("usage: broken_backends [--programs N]");
        return ExitCode::from(2);
    };
    println!("{:32} {:9} {:46} {:>6}", "name", "guarantee", "caught_by", "median");
    let mut caught = 0;
    for bug in Bug::ALL {
        let trial = put_to_the_test(*bug, programs, HUNTS);
        println!("{trial}");
        caught += usize::from(trial.caught_by.is_some());
    }
    let alarms = alarms("memory", programs, MemoryBackend::with_runtime)
        + alarms("correct", programs, BrokenBackend::correct);
    println!("caught {caught}/{}, false alarms {alarms}", Bug::ALL.len());
    if caught == Bug::ALL.len() && alarms == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How often a correct backend is rejected.
fn alarms<B: LockBackend>(name: &str, programs: u64, start: impl Fn(Runtime) -> B) -> usize {
    let rejected = |number: &u64| {
        let (profile, program) = nth_program(0, *number);
        let finding = on_virtual_time(&program, &start).finding;
        if let Some(finding) = &finding {
            eprintln!("{name} rejected, {profile}:{number}: {finding}\n  {program}");
        }
        finding.is_some()
    };
    let failed = |scenario: &&Scenario| {
        let told = scenario.play(&start);
        if let Err(message) = &told {
            eprintln!("{name} fails {}: {message}", scenario.name());
        }
        told.is_err()
    };
    (0..programs).filter(rejected).count() + Scenario::all().iter().filter(failed).count()
}
