//! Other checkers on the same register histories, each in a process of its own that has ten seconds.

#[cfg(feature = "peers")]
pub(crate) mod run;

use super::histories::{Corrupted, RegisterShape};
use crate::{Outcome, report::Report};

const PEERS: [&str; 2] = ["todc-utils", "stateright"];

/// A row for each of the others: how many times as long it takes.
#[cfg(feature = "peers")]
pub(super) fn compare(
    report: &mut Report,
    name: &str,
    shape: RegisterShape,
    corrupted: Corrupted,
    ours_ms: f64,
) -> Outcome<()> {
    use crate::report::Target;

    for peer in PEERS {
        let row = format!("{name}, {peer} / ours");
        match run::measure(peer, shape, corrupted)? {
            Some(theirs_ms) => {
                report.judged(row, theirs_ms / ours_ms, "times", Target::AtLeast(1.0));
            }
            None => report.absent(row, &format!("over {} s", run::PATIENCE.as_secs())),
        }
    }
    Ok(())
}

/// A row for each of the others, without a figure.
#[cfg(not(feature = "peers"))]
#[expect(clippy::unnecessary_wraps, reason = "with the others it can fail")]
pub(super) fn compare(
    report: &mut Report,
    name: &str,
    _shape: RegisterShape,
    _corrupted: Corrupted,
    _ours_ms: f64,
) -> Outcome<()> {
    for peer in PEERS {
        report.absent(format!("{name}, {peer} / ours"), "feature `peers`");
    }
    Ok(())
}
