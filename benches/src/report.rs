//! The rows of a run.

use serde::Serialize;

use crate::Outcome;

/// Every figure of a run, printed as it comes.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// None if it could not be measured here.
    figure: Option<f64>,
    unit: &'static str,
    target: Option<Target>,
}

/// What a figure should reach.
#[derive(Clone, Copy, Serialize)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Report {
    /// Adds a figure that has a target.
    pub(crate) fn judged(&mut self, name: String, figure: f64, unit: &'static str, target: Target) {
        let (met, text) = match target {
            Target::AtMost(bound) => (figure <= bound, format!("≤ {bound}")),
            Target::AtLeast(bound) => (figure >= bound, format!("≥ {bound}")),
        };
        let verdict = if met { "met" } else { "missed" };
        println!("{name:<58} {figure:>10.3} {unit:<10} {text:>8}  {verdict}");
        self.rows.push(Row { name, figure: Some(figure), unit, target: Some(target) });
    }

    /// Adds a figure for comparison.
    pub(crate) fn shown(&mut self, name: String, figure: f64, unit: &'static str) {
        println!("{name:<58} {figure:>10.3} {unit:<10} {:>8}  n/a", "-");
        self.rows.push(Row { name, figure: Some(figure), unit, target: None });
    }

    /// Adds a row without a figure, and why there is none.
    pub(crate) fn absent(&mut self, name: String, why: &str) {
        println!("{name:<58} {:>10} {:<10} {:>8}  n/a ({why})", "-", "", "-");
        self.rows.push(Row { name, figure: None, unit: "", target: None });
    }

    pub(crate) fn write_json(&self, file: &str) -> Outcome<()> {
        std::fs::write(file, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }
}
