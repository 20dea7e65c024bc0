//! Checks key-value histories: `cargo run --release -p leasehold-testkit --example check_kv -- FILE… [--whole]`.
//!
//! Each file is one event a line, as `{:process 3, :type :invoke, :f :append, :key "5", :value "x"}`
//! ([`read_kv`] says more). For each it prints `ok|violation|unknown ops=N keys=K`, and the time it took.
//! `--whole` takes the map as one object instead of key by key; `--limit N` bounds the configurations
//! visited. Exit status: 0 all are linearizable, 1 one is not, 3 a limit was reached first, 2 for
//! unreadable input or wrong usage.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use leasehold_testkit::check::Limits;
use leasehold_testkit::check::linear::{Verdict, check, read_kv};
use leasehold_testkit::model::{Kv, Model, WholeKv};

struct Arguments {
    files: Vec<String>,
    whole: bool,
    limits: Limits,
}

fn arguments() -> Result<Arguments, String> {
    let mut read = Arguments { files: Vec::new(), whole: false, limits: Limits::default() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--whole" => read.whole = true,
            "--limit" => {
                let text = arguments.next().ok_or("--limit needs a number")?;
                read.limits.explored = text.parse().map_err(|error| format!("{text}: {error}"))?;
            }
            option if option.starts_with("--") => return Err(format!("unknown option {option}")),
            _ => read.files.push(argument),
        }
    }
    if read.files.is_empty() { Err("no file given".to_owned()) } else { Ok(read) }
}

/// Prints a line for each file; the exit status of the worst.
fn run(arguments: &Arguments) -> Result<u8, String> {
    let mut status = 0;
    for file in &arguments.files {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let history = read_kv(&text).map_err(|error| format!("{file}: {error}"))?;
        let keys: BTreeSet<_> = history.iter().map(|recorded| Kv.part(&recorded.op)).collect();
        let started = Instant::now();
        let checked = if arguments.whole {
            check(&WholeKv, &history, arguments.limits)
        } else {
            check(&Kv, &history, arguments.limits)
        };
        let time = started.elapsed();
        let (word, its) = match checked.verdict {
            Verdict::Ok => ("ok", 0),
            Verdict::Violation(_) => ("violation", 1),
            Verdict::Unknown(_) => ("unknown", 3),
        };
        println!(
            "{word} ops={} keys={} in {time:.2?} ({} configurations, {file})",
            history.len(),
            keys.len(),
            checked.explored
        );
        status = if status == 1 { 1 } else { its.max(status) };
        status = if its == 1 { 1 } else { status };
    }
    Ok(status)
}

fn main() -> ExitCode {
    let usage = "usage: check_kv FILE… [--whole] [--limit N]";
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}\n{usage}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
