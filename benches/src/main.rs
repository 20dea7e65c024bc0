//! Measures what needs servers and processes, as ratios in one run: absolute times belong to the machine.
//!
//! `cargo run --release -p leasehold-benches -- [handoff|keepalive|loss|orphans|checkers|all] [--leases N] [--json FILE]` starts its
//! own Redis and prints a row a figure: `name figure target met|missed|n/a`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]
#![allow(clippy::disallowed_methods, reason = "measuring is reading the real clock")]
#![allow(clippy::future_not_send, reason = "one thread does all the work here")]

mod checkers;
mod handoff;
mod keepalive;
mod loss;
mod measure;
mod orphans;
mod report;
mod server;

use std::process::ExitCode;

use report::Report;

/// What a measurement of this program may fail with: it is told and ends the run.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: leasehold-benches [handoff|keepalive|loss|orphans|checkers|all] [--leases N] [--json FILE]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(handoff::WORKER) => handoff::work(&arguments[1..]),
        #[cfg(feature = "peers")]
        Some(checkers::WORKER) => checkers::work(&arguments[1..]),
        _ => bench(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn bench(arguments: &[String]) -> Outcome<()> {
    let (mut what, mut json, mut leases) = ("all", None, keepalive::LEASES);
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "handoff" | "keepalive" | "loss" | "orphans" | "checkers" | "all" => what = argument,
            "--json" => json = Some(arguments.next().ok_or(USAGE)?),
            "--leases" => leases = arguments.next().ok_or(USAGE)?.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    let mut report = Report::default();
    let runtime = measure::runtime()?;
    let chosen = |name| what == name || what == "all";
    if chosen("handoff") {
        runtime.block_on(handoff::bench(&mut report))?;
    }
    if chosen("keepalive") {
        runtime.block_on(keepalive::bench(&mut report, leases))?;
    }
    if chosen("loss") {
        runtime.block_on(loss::bench(&mut report))?;
    }
    if chosen("orphans") {
        runtime.block_on(orphans::bench(&mut report))?;
    }
    if chosen("checkers") {
        checkers::bench(&mut report)?;
    }
    match json {
        Some(file) => report.write_json(file),
        None => Ok(()),
    }
}
