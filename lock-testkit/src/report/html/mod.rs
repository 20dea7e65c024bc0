//! The report as one HTML file that needs nothing else.
//!
//! The page is a template with style and scripts beside it; what it shows is embedded as JSON, so that labels
//! never become markup. Everything is drawn by the page itself, on canvases.

mod data;
mod escape;
mod leases;
mod words;

use self::data::Data;
use self::escape::{json, text};
use self::words::readable;
use super::{FaultBand, Report};
use crate::history::History;

const TEMPLATE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
const SCRIPTS: [&str; 6] = [
    include_str!("model.js"),
    include_str!("lanes.js"),
    include_str!("draw.js"),
    include_str!("frame.js"),
    include_str!("page.js"),
    include_str!("start.js"),
];

/// The report on a history as one HTML file: a time line per client or key with leases as bars, their certain and
/// uncertain ends, queue waits, the faults of the run as bands, and the operations that contradict each other marked.
///
/// The file opens from disk and asks nothing of the network. It carries the history, whatever the labels in it
/// say, as data; it grows by about 400 bytes with each operation and is meant for up to some ten thousand.
///
/// `report` must be the report on `history`.
///
/// ```
/// use leasehold_testkit::check::lock::{Options, check};
/// use leasehold_testkit::history::HistoryBuilder;
/// use leasehold_testkit::report::{FaultBand, Replay, Report, html};
///
/// let (history, options) = (HistoryBuilder::new().finish(), Options::default());
/// let report = Report::new(&history, &options, &check(&history, &options), Replay::default());
/// let page = html(&history, &report, &[FaultBand::new(0, 1_000, "partition")]);
/// assert!(page.starts_with("<!doctype html>"));
/// ```
#[must_use]
pub fn html(history: &History, report: &Report, faults: &[FaultBand]) -> String {
    let data = Data::of(history, report, faults);
    fill(TEMPLATE, |name| match name {
        "style" => STYLE.to_owned(),
        "scripts" => SCRIPTS.join("\n"),
        "word" => text(report.word),
        "headline" => text(&readable(&headline(report))),
        "report" => text(&report.to_string()),
        "data" => json(&data),
        _ => String::new(),
    })
}

/// The one sentence on top.
fn headline(report: &Report) -> String {
    match (&report.sentence, &report.limit) {
        (Some(sentence), _) => sentence.clone(),
        (None, Some(limit)) => format!("No verdict: the limit was reached ({limit})"),
        (None, None) => "The specification of leases allows this history".to_owned(),
    }
}

/// Replaces each `{{name}}` of the template, in one pass: what is filled in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut page = String::with_capacity(template.len() * 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(before);
        page.push_str(&value(name));
        rest = after;
    }
    page.push_str(rest);
    page
}

#[cfg(test)]
mod tests;
