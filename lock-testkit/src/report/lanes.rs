//! A drawing: one lane per client, leases as bars with an uncertain end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::core::Core;
use crate::check::lock::Options;
use crate::history::{Call, History, Operation, Outcome};

/// Columns of the time line.
const WIDTH: usize = 64;

/// The time line: instants that matter, in order, spread over the columns so that each is visible.
struct Scale {
    places: BTreeMap<u64, usize>,
}

impl Scale {
    fn new(instants: &BTreeSet<u64>) -> Self {
        let (first, last) = (instants.first().copied(), instants.last().copied());
        let range = last.zip(first).map_or(1, |(last, first)| (last - first).max(1));
        let mut places = BTreeMap::new();
        let mut least = 0;
        for &instant in instants {
            let offset = u128::from(instant - first.unwrap_or(0)) * (WIDTH as u128);
            let column = usize::try_from(offset / u128::from(range)).unwrap_or(WIDTH);
            let column = column.max(least);
            places.insert(instant, column);
            least = column + 1;
        }
        Self { places }
    }

    fn column(&self, instant: u64) -> usize {
        self.places.range(..=instant).next_back().map_or(0, |(_, column)| *column)
    }
}

/// A lease as a bar: from the answer, surely until, possibly until.
struct Bar {
    from: u64,
    surely: u64,
    possibly: u64,
}

/// Draws the operations of the core. `|` is a call, `>` its answer, `[===~~)` a lease with its uncertain
/// end, `x` the answer that nothing explains.
pub(super) fn draw(history: &History, options: &Options, core: &Core) -> String {
    let ops: Vec<&Operation> = core.operations.iter().filter_map(|id| history.get(*id)).collect();
    let mut instants: BTreeSet<u64> = BTreeSet::new();
    for op in &ops {
        instants.insert(op.invoked.at_ns);
        instants.extend(op.returned_at().map(|stamp| stamp.at_ns));
        if let Some(bar) = bar(op, options) {
            instants.extend([bar.surely, bar.possibly]);
        }
    }
    let scale = Scale::new(&instants);
    let mut clients: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for op in ops {
        clients.entry(&op.client).or_default().push(op);
    }
    let margin = clients.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (client, ops) in clients {
        for op in ops {
            let failed = op.id == core.impasse.op;
            let _ = writeln!(text, "{client:margin$} {}", lane(op, options, &scale, failed));
        }
    }
    let times: Vec<String> = scale.places.keys().map(ToString::to_string).collect();
    let _ = writeln!(text, "{:margin$} {}", "", ruler(&scale));
    let _ = writeln!(text, "{:margin$} marks at {} ns\n", "", times.join(", "));
    text
}

fn ruler(scale: &Scale) -> String {
    let mut line = vec!['.'; scale.places.values().max().map_or(0, |last| last + 1)];
    for column in scale.places.values() {
        line[*column] = '\'';
    }
    line.into_iter().collect()
}

fn bar(op: &Operation, options: &Options) -> Option<Bar> {
    let ttl_ns = match (&op.call, op.outcome()?) {
        (_, Outcome::Granted { ttl_ns, .. }) => *ttl_ns,
        (Call::Extend { ttl_ns, .. }, Outcome::Extended) => *ttl_ns,
        _ => return None,
    };
    let span = options.slack.span(ttl_ns);
    let (lo, hi) = (u64::try_from(span.lo).ok()?, u64::try_from(span.hi).ok()?);
    let returned = op.returned_at()?.at_ns;
    Some(Bar {
        from: returned,
        surely: op.invoked.at_ns.saturating_add(lo),
        possibly: returned.saturating_add(hi),
    })
}

fn lane(op: &Operation, options: &Options, scale: &Scale, failed: bool) -> String {
    let returned = op.returned_at().map_or(op.invoked.at_ns, |stamp| stamp.at_ns);
    let (from, to) = (scale.column(op.invoked.at_ns), scale.column(returned));
    let mut line = vec![' '; from];
    line.push('|');
    while line.len() < to {
        line.push('-');
    }
    if to > from {
        line.push('>');
    }
    if let Some(bar) =
        bar(op, options).filter(|bar| bar.surely > bar.from || bar.possibly > bar.from)
    {
        if let Some(last) = line.last_mut() {
            *last = '[';
        }
        while line.len() < scale.column(bar.surely) {
            line.push('=');
        }
        while line.len() < scale.column(bar.possibly) {
            line.push('~');
        }
        line.push(')');
    }
    if failed {
        line.push('x');
    }
    let drawn: String = line.into_iter().collect();
    format!("{drawn:width$} #{}", op.id.0, width = WIDTH + 4)
}
