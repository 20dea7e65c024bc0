//! Instructions per operation of the hot paths, counted by valgrind and compared with what was written down: they are
//! the same on a busy machine, so a regression shows.

mod paths;
mod written;

use std::process::{Command, ExitCode};

use paths::PATHS;
pub(crate) use paths::work;
use written::Written;

use crate::Outcome;

/// The hidden first argument of a process that runs one path.
pub(crate) const WORKER: &str = "instructions-worker";

/// Counts every path; prints a row each, and compares or writes down. Fails if one differs by more than the tolerance,
/// to either side: what became faster is written down too.
pub(crate) fn check(update: bool) -> Outcome<ExitCode> {
    let written = Written::read()?;
    let compiler = written::compiler();
    let comparable = written.compiler == compiler;
    if !comparable && !update {
        println!(
            "written down for `{}`, this is `{compiler}`: nothing to compare",
            written.compiler
        );
    }
    let mut counted = Written::new(compiler);
    let mut off = Vec::new();
    println!("{:<40} {:>12} {:>12} {:>8}", "path", "instructions", "written", "ratio");
    for path in PATHS {
        let per_operation = count(path)?;
        counted.instructions.insert(path.name.to_owned(), per_operation);
        let before = written.instructions.get(path.name).copied();
        let ratio = before.map(|before| per_operation as f64 / before as f64);
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        println!(
            "{:<40} {per_operation:>12} {:>12} {:>8}",
            path.name,
            text(before.map(|before| before.to_string())),
            text(ratio.map(|ratio| format!("{ratio:.3}"))),
        );
        let near = ratio.is_some_and(|ratio| (ratio - 1.0).abs() <= written::TOLERANCE);
        if !near {
            off.push(path.name);
        }
    }
    if update {
        counted.write()?;
    } else if comparable && !off.is_empty() {
        eprintln!("off by more than {:.0} %: {}", written::TOLERANCE * 100.0, off.join(", "));
        eprintln!(
            "if that is as it should be: cargo run --release -p leasehold-benches -- instructions --update"
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Instructions of one operation: the difference that as many again make, so that starting counts for nothing.
fn count(path: &paths::Path) -> Outcome<u64> {
    let (once, twice) = (counted(path, 1)?, counted(path, 2)?);
    Ok(twice.saturating_sub(once) / path.operations())
}

/// Instructions of a process that runs the path so many times its turns.
fn counted(path: &paths::Path, times: u64) -> Outcome<u64> {
    let turns = (path.turns * times).to_string();
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args([WORKER, path.name, &turns])
        .output()
        .map_err(|error| format!("can't run `valgrind` (install it): {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let refs = said.lines().find_map(|line| line.split_once("refs:")).map(|(_, count)| count);
    let count = refs.map(|count| count.trim().replace(',', ""));
    let count = count.filter(|_| output.status.success());
    Ok(count.ok_or_else(|| format!("valgrind failed: {said}"))?.parse()?)
}
