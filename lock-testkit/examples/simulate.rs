//! Puts three services that use a lock to the test, each in a broken and a right variant:
//! `simulate --service inventory|payment|store --variant broken|right --seed S [--plans N] [--trace FILE] [--html FILE]`.
//!
//! Runs fault plan after fault plan, by the seeds from S on. The first that breaks the service is made small and
//! reported; `--trace` writes all that happened in that run, or, if every plan passed, in the last one, and `--html` the
//! report as a page. The same arguments give the same output and the same files, byte for byte.
//!
//! Exit status: 0 every plan passed, 1 one broke the service, 2 wrong usage, or a file that could not be written.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a command, which tests run too")]

#[expect(unreachable_pub, reason = "as the library would have it")]
#[path = "services/inventory.rs"]
pub(crate) mod inventory;
#[expect(unreachable_pub, reason = "as the library would have it")]
#[path = "services/payment.rs"]
pub(crate) mod payment;
#[expect(unreachable_pub, reason = "as the library would have it")]
#[path = "services/store.rs"]
pub(crate) mod store;

use std::{fs, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use leasehold_testkit::harness::{Harness, Subject};

#[derive(Parser)]
#[command(about = "Looks for the fault plan that breaks a service which uses a lock")]
struct Arguments {
    /// Which service.
    #[arg(long)]
    service: Service,
    /// Without or with what makes it safe.
    #[arg(long)]
    variant: Variant,
    /// The seed of the first plan; the next plan has the next.
    #[arg(long)]
    seed: u64,
    /// How many plans.
    #[arg(long, default_value_t = 10_000)]
    plans: u64,
    /// Where to write what happened in the last run.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// Where to write the report of a failure as a page.
    #[arg(long)]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Service {
    Inventory,
    Payment,
    Store,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Variant {
    Broken,
    Right,
}

fn main() -> ExitCode {
    ExitCode::from(run(std::env::args()))
}

/// Does what the arguments say, of which the first is the name of the command; the exit status.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            error.print().ok();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let right = arguments.variant == Variant::Right;
    let done = match arguments.service {
        Service::Inventory => simulate(inventory::Inventory { fenced: right }, &arguments),
        Service::Payment => simulate(payment::Paying { idempotent: right }, &arguments),
        Service::Store => simulate(store::Deposits { fence_reads: right }, &arguments),
    };
    done.unwrap_or_else(|message| {
        eprintln!("{message}");
        2
    })
}

fn simulate(subject: impl Subject, arguments: &Arguments) -> Result<u8, String> {
    let name = |value: Option<clap::builder::PossibleValue>| {
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    };
    let command = format!(
        "cargo run --release -p leasehold-testkit --example simulate -- --service {} --variant {} --seed {{seed}} --plans 1",
        name(arguments.service.to_possible_value()),
        name(arguments.variant.to_possible_value()),
    );
    let harness = Harness::new(subject).command(command);
    let hunted = harness.hunt(arguments.seed, arguments.plans);
    let write = |path: &PathBuf, text: String| {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    let Some(failure) = hunted.failure else {
        println!("passed {} plans, {} of them undecided", hunted.plans, hunted.undecided);
        if let Some(path) = &arguments.trace {
            let last = arguments.seed.wrapping_add(arguments.plans.saturating_sub(1));
            write(path, harness.run(&harness.case(last)).run.trace.to_string())?;
        }
        return Ok(0);
    };
    println!("broken by plan {} of {}\n\n{failure}", hunted.plans, arguments.plans);
    if let Some(path) = &arguments.trace {
        write(path, failure.ran.run.trace.to_string())?;
    }
    if let Some(path) = &arguments.html {
        write(path, failure.html())?;
    }
    Ok(1)
}
