//! Reports: why a history is wrong, in the vocabulary of locks.
//!
//! [`Report`] gathers what a person needs to understand a violation: one sentence, the few operations
//! that contradict each other, a drawing, the states that were possible just before and why each failed, how to
//! run it again, and how much the run has tried at all. [`html`](html()) draws the whole history around it.

mod core;
mod evidence;
mod faults;
mod html;
mod lanes;
mod words;

use std::fmt;

pub use self::core::{Core, core};
pub use evidence::Evidence;
pub use faults::FaultBand;
pub use html::html;

use crate::check::invariants::{Bounds, Broken, broken};
use crate::check::lock::{Checked, Impasse, Options, Verdict};
use crate::history::History;

/// How the run that is reported can be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// The seed.
    pub seed: Option<String>,
    /// The command that runs it again.
    pub command: Option<String>,
}

/// A verdict with everything that explains it; `Display` is the text report.
#[derive(Clone, Debug)]
pub struct Report {
    word: &'static str,
    keys: usize,
    operations: usize,
    /// One sentence that says what is wrong, `None` if nothing is.
    pub sentence: Option<String>,
    /// The operations that contradict each other.
    pub core: Option<Core>,
    /// Where the search ended.
    pub impasse: Option<Impasse>,
    /// What the run has tried.
    pub evidence: Evidence,
    drawing: String,
    listing: String,
    told: String,
    limit: Option<String>,
    options: Options,
    replay: Replay,
}

impl Report {
    /// Explains a verdict on a history that was reached under these options.
    #[must_use]
    pub fn new(history: &History, options: &Options, checked: &Checked, replay: Replay) -> Self {
        let mut report = Self {
            word: checked.verdict.word(),
            keys: history.keys().len(),
            operations: history.len(),
            sentence: None,
            core: None,
            impasse: None,
            evidence: Evidence::of(history),
            drawing: String::new(),
            listing: String::new(),
            told: String::new(),
            limit: None,
            options: *options,
            replay,
        };
        match &checked.verdict {
            Verdict::Ok => {}
            Verdict::Unknown(reached) => report.limit = Some(reached.to_string()),
            Verdict::Violation(impasse) => report.explain(history, impasse),
        }
        report
    }

    /// A report of something that is wrong although the lock did what it should: this sentence, and what else there is to
    /// tell of it.
    #[must_use]
    pub fn because(self, sentence: impl Into<String>, told: impl Into<String>) -> Self {
        Self { word: "violation", sentence: Some(sentence.into()), told: told.into(), ..self }
    }

    fn explain(&mut self, history: &History, impasse: &Impasse) {
        let core = core(history, &self.options, impasse);
        let impasse = core.impasse.clone();
        self.sentence = Some(sentence(history, &self.options, &core));
        self.drawing = lanes::draw(history, &self.options, &core);
        self.listing = core
            .operations
            .iter()
            .filter_map(|id| history.get(*id))
            .map(|op| format!("  {}\n", words::operation(op)))
            .collect();
        self.core = Some(core);
        self.impasse = Some(impasse);
    }
}

/// The broken guarantee that the core shows, or what the search says of its last operation.
fn sentence(history: &History, options: &Options, core: &Core) -> String {
    let bounds = Bounds::default();
    let in_core = |found: &&Broken| found.operations.iter().all(|op| core.operations.contains(op));
    let at_core = |found: &&Broken| found.operations.iter().any(|op| core.operations.contains(op));
    let (whole, relaxed) =
        (broken(history, options, bounds), broken(&core.history, options, bounds));
    let found = whole.iter().find(in_core).or_else(|| relaxed.first());
    if let Some(broken) = found.or_else(|| whole.iter().find(at_core)) {
        return format!("{:?} {}", broken.guarantee, broken.sentence);
    }
    let impasse = &core.impasse;
    let why = impasse.states.first().map_or("nothing explains it", |state| state.failed.as_str());
    match core.last().and_then(|id| history.get(id)) {
        Some(op) => {
            format!("{} by {} at {} ns, but {why}", words::answered(op), op.client, impasse.at_ns)
        }
        None => why.to_owned(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ops={} keys={}", self.word, self.operations, self.keys)?;
        if let Some(limit) = &self.limit {
            writeln!(f, "no verdict: the limit was reached ({limit})")?;
        }
        if let Some(sentence) = &self.sentence {
            writeln!(f, "\n{sentence}\n")?;
        }
        if !self.told.is_empty() {
            writeln!(f, "{}\n", self.told.trim_end())?;
        }
        if let Some(core) = &self.core {
            match core.operations.len() {
                1 => write!(f, "this operation is wrong by itself")?,
                count => write!(f, "these {count} operations contradict each other")?,
            }
            writeln!(f, " ({} others do not matter):", core.relaxed)?;
            write!(f, "{}\n{}", self.listing, self.drawing)?;
        }
        if let Some(impasse) = &self.impasse {
            words::states(f, impasse)?;
        }
        let slack = self.options.slack;
        writeln!(
            f,
            "\nslack: rate {} ppm, jitter {} ns, resolution {} ns",
            slack.rate_ppm, slack.jitter_ns, slack.resolution_ns
        )?;
        writeln!(f, "evidence: {}", self.evidence)?;
        if self.core.is_none() && self.evidence.is_vacuous() {
            writeln!(f, "VACUOUS: {}", self.evidence.gaps().join("; "))?;
        }
        if let Some(seed) = &self.replay.seed {
            writeln!(f, "seed: {seed}")?;
        }
        if let Some(command) = &self.replay.command {
            writeln!(f, "again: {command}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
