//! The rows as bars: how far each figure is from its target.

use std::path::Path;

use plotters::prelude::*;

use super::{Row, Target, Verdict};
use crate::Outcome;

const ROW: u32 = 20;
const MARGIN: i32 = 12;
const NAMES: i32 = 520;
const BARS: i32 = 420;
const WIDTH: u32 = 1_240;
/// Bars end at so many times the target, in powers of ten to either side.
const DECADES: f64 = 2.0;

const GOOD: RGBColor = RGBColor(44, 127, 80);
const BAD: RGBColor = RGBColor(190, 60, 50);

/// One bar a row that has a figure and a target. The line in the middle is the target; to the right of it is better, on
/// a logarithmic scale.
pub(super) fn draw(rows: &[Row], header: &[String], file: &Path) -> Outcome<()> {
    let judged: Vec<_> = rows.iter().filter_map(Bar::of).collect();
    let lines = u32::try_from(judged.len() + header.len() + 3)?;
    let size = (WIDTH, lines * ROW + 2 * MARGIN.unsigned_abs());
    let area = SVGBackend::new(file, size).into_drawing_area();
    area.fill(&WHITE)?;
    let line = |number: usize| MARGIN + i32::try_from(number).unwrap_or(0) * ROW.cast_signed();
    let text = ("sans-serif", 13).into_font().color(&BLACK);
    for (number, said) in header.iter().enumerate() {
        area.draw(&Text::new(said.as_str(), (MARGIN, line(number)), text.clone()))?;
    }
    let first = header.len() + 2;
    let middle = MARGIN + NAMES + BARS / 2;
    let scale = [(-1, "10 × worse"), (0, "target"), (1, "10 × better")];
    for (decade, said) in scale {
        let x = middle + decade * BARS / 4;
        let at = (x - 30, line(first - 1));
        area.draw(&Text::new(said, at, text.clone()))?;
        let ends = vec![(x, line(first)), (x, line(first + judged.len()))];
        area.draw(&PathElement::new(ends, RGBColor(170, 170, 170)))?;
    }
    for (number, bar) in judged.iter().enumerate() {
        let y = line(first + number);
        area.draw(&Text::new(bar.row.name.as_str(), (MARGIN, y + 3), text.clone()))?;
        #[expect(clippy::cast_possible_truncation, reason = "within the picture")]
        let end = middle + (bar.better / DECADES * f64::from(BARS / 2)).round() as i32;
        let colour = if bar.row.verdict == Verdict::Met { GOOD } else { BAD };
        let corners = [(middle.min(end), y + 3), (middle.max(end).max(middle + 1), y + 15)];
        area.draw(&Rectangle::new(corners, colour.filled()))?;
        let said = format!("{} {} ({})", bar.row.figure(), bar.row.unit, bar.row.target());
        area.draw(&Text::new(said, (MARGIN + NAMES + BARS + 12, y + 3), text.clone()))?;
    }
    area.present()?;
    Ok(())
}

struct Bar<'a> {
    row: &'a Row,
    /// Powers of ten by which it is better than its target, at most [`DECADES`] to either side.
    better: f64,
}

impl<'a> Bar<'a> {
    fn of(row: &'a Row) -> Option<Self> {
        let (figure, target) = (row.figure?, row.target?);
        // A target of nothing at all has no ratio: met or not.
        let ratio = match target {
            Target::AtMost(bound) => bound / figure,
            Target::AtLeast(bound) => figure / bound,
        };
        let better = if ratio.is_nan() { 0.0 } else { ratio.log10() };
        Some(Self { row, better: better.clamp(-DECADES, DECADES) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn row(name: &str, figure: f64, target: Target) -> Row {
        let verdict = target.judge(figure);
        let (figure, target) = (Some(figure), Some(target));
        Row { name: name.into(), figure, unit: "ratio".into(), target, verdict, why: None }
    }

    #[test]
    fn every_judged_row_is_drawn_with_its_name_figure_and_target() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plot.svg");
        let rows = [
            row("first", 1.25, Target::AtMost(1.5)),
            row("none left", 0.0, Target::AtMost(0.0)),
            row("far off", 1e9, Target::AtMost(1.0)),
        ];
        draw(&rows, &["a machine".to_owned()], &file).unwrap();
        let svg = std::fs::read_to_string(file).unwrap();
        for said in ["a machine", "first", "1.250 ratio (≤ 1.5)", "none left", "far off"] {
            assert!(svg.contains(said), "{said} in {svg}");
        }
    }
}
