//! What the page is given.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::leases::{LeaseBar, lease_bars};
use super::words::readable;
use crate::history::{Call, History, Operation, Outcome, Stamp};
use crate::report::{FaultBand, Report, words};

/// Place in the order of events, and time.
type Moment = (usize, u64);

fn moment(stamp: Stamp) -> Moment {
    (stamp.index, stamp.at_ns)
}

/// An operation, with calls and outcomes as in the file format.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Op {
    pub(super) client: Arc<str>,
    pub(super) call: Call,
    pub(super) invoked: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) enqueued: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) returned: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) settled: Option<Moment>,
}

impl Op {
    fn of(op: &Operation) -> Self {
        Self {
            client: Arc::clone(&op.client),
            call: op.call.clone(),
            invoked: moment(op.invoked),
            enqueued: op.enqueued.map(moment),
            returned: op.returned_at().map(moment),
            outcome: op.outcome().cloned(),
            settled: op.settled.map(moment),
        }
    }
}

/// An operation of the core: its number, and the whole of it in words.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) op: usize,
    pub(super) words: String,
}

/// The operation whose answer nothing explains, and when it came.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Impasse {
    pub(super) op: usize,
    pub(super) at_ns: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Data {
    pub(super) word: String,
    pub(super) core: Vec<Told>,
    pub(super) impasse: Option<Impasse>,
    pub(super) evidence: String,
    pub(super) slack: String,
    pub(super) seed: Option<String>,
    pub(super) command: Option<String>,
    pub(super) faults: Vec<FaultBand>,
    pub(super) ops: Vec<Op>,
    pub(super) leases: Vec<LeaseBar>,
}

impl Data {
    pub(super) fn of(history: &History, report: &Report, faults: &[FaultBand]) -> Self {
        let core = report.core.iter().flat_map(|core| &core.operations);
        let core = core.filter_map(|id| history.get(*id));
        let slack = report.options.slack;
        Self {
            word: report.word.to_owned(),
            core: core
                .map(|op| Told { op: op.id.0, words: readable(&words::operation(op)) })
                .collect(),
            impasse: report
                .impasse
                .as_ref()
                .map(|impasse| Impasse { op: impasse.op.0, at_ns: impasse.at_ns }),
            evidence: report.evidence.to_string(),
            slack: format!(
                "rate {} ppm, jitter {} ns, resolution {} ns",
                slack.rate_ppm, slack.jitter_ns, slack.resolution_ns
            ),
            seed: report.replay.seed.clone(),
            command: report.replay.command.clone(),
            faults: faults.to_vec(),
            ops: history.operations().iter().map(Op::of).collect(),
            leases: lease_bars(history, slack),
        }
    }
}
