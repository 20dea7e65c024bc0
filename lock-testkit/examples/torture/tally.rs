//! What has come of it so far.

use std::{
    env,
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::BufWriter,
    path::PathBuf,
    process::{self, ExitCode},
    time::Duration,
};

use leasehold_testkit::{
    generate::{Criteria, Program, Ran},
    history::HistoryError,
    report::{Evidence, Replay},
};

/// The sum over many programs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    programs: u64,
    evidence: Evidence,
    violations: u64,
    pub(crate) took: Duration,
}

/// So many failures are told in full.
const TOLD: u64 = 5;

impl Tally {
    /// Counts a run; whether it is one that should be told.
    pub(crate) fn count(&mut self, ran: &Ran) -> bool {
        self.programs += 1;
        self.evidence += Evidence::of(&ran.history);
        self.violations += u64::from(ran.finding.is_some());
        ran.finding.is_some() && self.violations <= TOLD
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.programs += other.programs;
        self.evidence += other.evidence;
        self.violations += other.violations;
    }

    pub(crate) const fn programs(&self) -> u64 {
        self.programs
    }

    pub(crate) fn line(&self) -> String {
        let (programs, operations) = (self.programs, self.evidence.operations);
        format!("{programs} programs, {operations} operations, {} violations", self.violations)
    }

    /// Says what came of it, the last line as documented.
    pub(crate) fn conclude(&self, replayed: bool) -> ExitCode {
        let vacuous = self.evidence.is_vacuous() && !replayed;
        println!("evidence: {}", self.evidence);
        if !replayed && !self.took.is_zero() {
            let programs = f64::from(u32::try_from(self.programs).unwrap_or(u32::MAX));
            println!("speed: {:.0} programs a second", programs / self.took.as_secs_f64());
        }
        if vacuous && self.violations == 0 {
            println!("vacuous: {}", self.evidence.gaps().join("; "));
        }
        let (programs, operations) = (self.programs, self.evidence.operations);
        println!("torture: programs={programs} ops={operations} violations={}", self.violations);
        match (self.violations, vacuous) {
            (0, false) => ExitCode::SUCCESS,
            (0, true) => ExitCode::from(4),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Prints the report on a failed run.
pub(crate) fn tell(ran: &Ran, criteria: &Criteria, program: &Program, seed: &str, more: &str) {
    let command =
        format!("cargo run -p leasehold-testkit --example torture -- {more}--replay '{program}'");
    let replay = Replay { seed: Some(seed.to_owned()), command: Some(command) };
    println!("{}", criteria.report(ran, replay));
    match keep(ran, program) {
        Ok(path) => println!("history: {}\n", path.display()),
        Err(error) => println!("history: not kept, {error}\n"),
    }
}

/// Writes the history of a failed run where `check_history` can read it.
fn keep(ran: &Ran, program: &Program) -> Result<PathBuf, HistoryError> {
    let mut hasher = DefaultHasher::new();
    (process::id(), program).hash(&mut hasher);
    let name = format!("leasehold-torture-{:016x}.jsonl", hasher.finish());
    let path = env::temp_dir().join(name);
    ran.history.write_to(BufWriter::new(File::create(&path)?))?;
    Ok(path)
}
