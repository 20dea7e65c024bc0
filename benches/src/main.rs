//! Measures what needs servers and processes, as ratios in one run: absolute times belong to the machine.
//!
//! `cargo run --release -p leasehold-benches -- --help` says what there is. It starts its own Redis, and prints a row a
//! figure: `name ratio unit target met|missed|n/a`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]
#![allow(clippy::disallowed_methods, reason = "measuring is reading the real clock")]
#![allow(clippy::future_not_send, reason = "one thread does all the work here")]

mod acquire;
mod arguments;
mod checkers;
mod effort;
mod grants;
mod handoff;
mod instructions;
mod keepalive;
mod loss;
mod measure;
mod memory;
mod orphans;
mod peers;
mod report;
mod server;
mod simulation;

use std::process::ExitCode;

use arguments::{Arguments, What};
use clap::Parser as _;
use effort::Effort;
use report::Report;

/// What a measurement of this program may fail with: it is told and ends the run.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(handoff::WORKER) => handoff::work(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(memory::WORKER) => memory::work(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(instructions::WORKER) => {
            instructions::work(&arguments[1..]).map(|()| ExitCode::SUCCESS)
        }
        #[cfg(feature = "peers")]
        Some(checkers::WORKER) => checkers::work(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        _ => run(&Arguments::parse().with_docs()),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn run(arguments: &Arguments) -> Outcome<ExitCode> {
    if arguments.what == What::Instructions {
        return instructions::check(arguments.update);
    }
    let report = match &arguments.from {
        Some(file) => Report::read(file)?,
        None => bench(arguments)?,
    };
    if let Some(file) = &arguments.json {
        report.write_json(file)?;
    }
    if let Some(file) = &arguments.svg {
        report.write_svg(file)?;
    }
    if let Some(file) = &arguments.markdown {
        report.write_markdown(file)?;
    }
    let missed = report.missed();
    if arguments.strict && !missed.is_empty() {
        eprintln!("missed: {}", missed.join(", "));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// How many handoffs there are in the time of a bare round trip, from the rows that were measured.
fn handoffs_a_ping(report: &mut Report) {
    let target = report::Target::AtLeast(0.7);
    for (waiters, processes) in [(2, 2), (32, 2), (32, 4), (128, 2), (128, 4), (500, 2), (500, 4)] {
        let prefix = format!("handoff/direct/{waiters} in {processes}");
        let measured = |what: &str| report.figure(&format!("{prefix}/{what}"));
        let product = measured("handoffs per second")
            .zip(measured("PING p50, all at once"))
            .map(|(a_second, ping_us)| a_second * ping_us / 1e6);
        let name = format!("{prefix}/handoffs a PING p50");
        match product {
            Some(product) => report.judged(name, product, "ratio", target),
            None => report.absent_judged(name, target, "not measured"),
        }
    }
}

fn bench(arguments: &Arguments) -> Outcome<Report> {
    let (what, effort) = (arguments.what, arguments.effort());
    let mut report = Report::begin(effort == Effort::Quick);
    let runtime = measure::runtime()?;
    if what.has(What::Acquire) {
        runtime.block_on(acquire::bench(&mut report, effort))?;
    }
    if what.has(What::Handoff) {
        runtime.block_on(handoff::bench(&mut report))?;
        handoffs_a_ping(&mut report);
    }
    if what.has(What::Grants) {
        runtime.block_on(grants::bench(&mut report, effort))?;
    }
    if what.has(What::Keepalive) {
        runtime.block_on(keepalive::bench(&mut report, effort, arguments.leases))?;
    }
    if what.has(What::Memory) {
        memory::bench(&mut report, effort)?;
    }
    if what.has(What::Loss) {
        runtime.block_on(loss::bench(&mut report))?;
    }
    if what.has(What::Orphans) {
        runtime.block_on(orphans::bench(&mut report))?;
    }
    if what.has(What::Simulation) {
        simulation::bench(&mut report, effort)?;
    }
    if what.has(What::Checkers) {
        checkers::bench(&mut report, effort)?;
    }
    Ok(report)
}
