//! A case that breaks the subject, told.

use std::fmt;

use super::{Case, Tried};
use crate::{
    check::lock::{Options, check},
    report::{FaultBand, Replay, Report, html},
    sim::{FaultNote, Finding},
};

/// A case that breaks the subject, made small. `Display` is the report.
#[derive(Clone, Debug)]
pub struct Failure<Op, Out> {
    /// The case as it was found.
    pub first: Case<Op>,
    /// The smallest case found that fails in the same way.
    pub case: Case<Op>,
    /// What came of it.
    pub ran: Tried<Op, Out>,
    /// How large the first was.
    pub before: Size,
    /// How large the smallest is.
    pub after: Size,
    /// How many cases were tried on the way.
    pub tried: u32,
    /// How to have all this again: the case, and how it is made small.
    pub command: String,
}

/// How large a case is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// How many faults.
    pub faults: usize,
    /// How many operations, of all clients.
    pub operations: usize,
    /// How many choices other than the plainest.
    pub choices: usize,
}

impl Size {
    pub(super) fn of<Op>(case: &Case<Op>) -> Self {
        Self {
            faults: case.plan.faults.len(),
            operations: case.programs.iter().map(Vec::len).sum(),
            choices: case.choices.as_ref().map_or(0, crate::sim::Choices::unusual),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { faults, operations, choices } = self;
        let parts = [(faults, "fault"), (operations, "operation"), (choices, "unusual choice")];
        let count = |(count, what): (&usize, &str)| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        f.write_str(&parts.map(count).join(", "))
    }
}

impl<Op, Out> Failure<Op, Out> {
    /// What is wrong.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.ran.run.finding().map(ToString::to_string).unwrap_or_default()
    }
}

impl<Op: fmt::Debug, Out: fmt::Debug> Failure<Op, Out> {
    /// The report as a page: the leases of the run, its faults as bands, and what is wrong.
    #[must_use]
    pub fn html(&self) -> String {
        self.ran.html(&self.to_string(), self.first.seed, &self.command)
    }
}

impl<Op, Out> Tried<Op, Out> {
    /// The run as a page, with some text beside it.
    fn html(&self, text: &str, seed: u64, command: &str) -> String {
        let run = &self.run;
        // What the server did is the evidence against the server; what the clients saw, against the service.
        let backend = matches!(run.finding(), Some(Finding::Backend(_)));
        let history = if backend { &run.server } else { &run.history };
        let replay = Replay { seed: Some(seed.to_string()), command: Some(command.to_owned()) };
        let options = Options::default();
        let report = Report::new(history, &options, &check(history, &options), replay);
        let sentence = run.finding().map(ToString::to_string).unwrap_or_default();
        let bands: Vec<_> = run.faults.iter().map(band).collect();
        html(history, &report.because(sentence, text), &bands)
    }
}

/// A fault as a band of the page.
fn band(note: &FaultNote) -> FaultBand {
    let band = FaultBand::new(note.from_ns, note.to_ns, &*note.words);
    note.client.map_or_else(|| band.clone(), |client| band.clone().on(format!("c{client}")))
}

impl<Op: fmt::Debug, Out> fmt::Display for Failure<Op, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.sentence())?;
        writeln!(f, "{}\n", self.case)?;
        writeln!(f, "what happened:")?;
        for line in self.ran.run.trace.to_string().lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "\nmade small in {} runs: {} -> {}", self.tried, self.before, self.after)?;
        writeln!(f, "seed: {}", self.first.seed)?;
        write!(f, "again: {}", self.command)
    }
}
