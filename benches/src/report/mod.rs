//! The rows of a run.

mod draw;
mod machine;
mod markdown;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use machine::Machine;

use crate::Outcome;

/// Every figure of a run, printed as it comes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    machine: Machine,
    /// Small counts: that it ran is all that it shows.
    quick: bool,
    rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    /// None if it could not be measured here.
    figure: Option<f64>,
    unit: String,
    target: Option<Target>,
    verdict: Verdict,
    /// Why there is no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What a figure should reach.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Verdict {
    #[serde(rename = "met")]
    Met,
    #[serde(rename = "missed")]
    Missed,
    #[serde(rename = "n/a")]
    NotJudged,
}

impl Target {
    fn judge(self, figure: f64) -> Verdict {
        let met = match self {
            Self::AtMost(bound) => figure <= bound,
            Self::AtLeast(bound) => figure >= bound,
        };
        if met { Verdict::Met } else { Verdict::Missed }
    }

    const fn bound(self) -> f64 {
        match self {
            Self::AtMost(bound) | Self::AtLeast(bound) => bound,
        }
    }

    fn text(self) -> String {
        let sign = match self {
            Self::AtMost(_) => "≤",
            Self::AtLeast(_) => "≥",
        };
        format!("{sign} {}", self.bound())
    }
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::NotJudged => "n/a",
        }
    }
}

impl Row {
    fn target(&self) -> String {
        self.target.map_or_else(|| "-".to_owned(), Target::text)
    }

    fn figure(&self) -> String {
        match self.figure {
            None => "-".to_owned(),
            Some(figure) if figure.fract() == 0.0 || figure.abs() >= 1e4 => format!("{figure:.0}"),
            Some(figure) => format!("{figure:.3}"),
        }
    }
}

impl Report {
    /// An empty one, whose header is printed.
    pub(crate) fn begin(quick: bool) -> Self {
        let machine = Machine::look();
        for line in machine.lines() {
            println!("{line}");
        }
        if quick {
            println!("quick: small counts, these figures mean nothing");
        }
        println!("\n{:<78} {:>10} {:<11} {:>9}  verdict", "name", "ratio", "unit", "target");
        Self { machine, quick, rows: Vec::new() }
    }

    /// What an earlier run wrote.
    pub(crate) fn read(file: &Path) -> Outcome<Self> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("can't read {}: {error}", file.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Adds a figure that has a target.
    pub(crate) fn judged(
        &mut self,
        name: String,
        figure: f64,
        unit: impl Into<String>,
        target: Target,
    ) {
        let verdict = target.judge(figure);
        let (figure, target) = (Some(figure), Some(target));
        self.add(Row { name, figure, unit: unit.into(), target, verdict, why: None });
    }

    /// Adds a figure for comparison.
    pub(crate) fn shown(&mut self, name: String, figure: f64, unit: impl Into<String>) {
        let (figure, verdict) = (Some(figure), Verdict::NotJudged);
        self.add(Row { name, figure, unit: unit.into(), target: None, verdict, why: None });
    }

    /// Adds a row without a figure, and why there is none.
    pub(crate) fn absent(&mut self, name: String, why: &str) {
        self.add(Row {
            name,
            figure: None,
            unit: String::new(),
            target: None,
            verdict: Verdict::NotJudged,
            why: Some(why.to_owned()),
        });
    }

    /// As [`absent`](Self::absent), for a figure that has a target.
    pub(crate) fn absent_judged(&mut self, name: String, target: Target, why: &str) {
        self.absent(name, why);
        if let Some(row) = self.rows.last_mut() {
            row.target = Some(target);
        }
    }

    /// The figure of a row that was added before.
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name)?.figure
    }

    fn add(&mut self, row: Row) {
        let why = row.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        println!(
            "{:<78} {:>10} {:<11} {:>9}  {}{why}",
            row.name,
            row.figure(),
            row.unit,
            row.target(),
            row.verdict.word()
        );
        self.rows.push(row);
    }

    /// The names of the rows that miss their targets.
    pub(crate) fn missed(&self) -> Vec<&str> {
        let missed = self.rows.iter().filter(|row| row.verdict == Verdict::Missed);
        missed.map(|row| row.name.as_str()).collect()
    }

    pub(crate) fn write_json(&self, file: &Path) -> Outcome<()> {
        std::fs::write(file, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }

    pub(crate) fn write_svg(&self, file: &Path) -> Outcome<()> {
        draw::draw(&self.rows, &self.machine.lines(), file)
    }

    pub(crate) fn write_markdown(&self, file: &Path) -> Outcome<()> {
        markdown::write(&self.rows, &self.machine, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_itself_is_met_on_either_side() {
        assert!(Target::AtMost(2.0).judge(2.0) == Verdict::Met);
        assert!(Target::AtLeast(2.0).judge(2.0) == Verdict::Met);
        assert!(Target::AtMost(2.0).judge(2.001) == Verdict::Missed);
        assert!(Target::AtLeast(2.0).judge(1.999) == Verdict::Missed);
    }

    #[test]
    fn what_can_not_be_computed_meets_nothing() {
        assert!(Target::AtMost(2.0).judge(f64::NAN) == Verdict::Missed);
        assert!(Target::AtLeast(2.0).judge(f64::NAN) == Verdict::Missed);
    }
}
