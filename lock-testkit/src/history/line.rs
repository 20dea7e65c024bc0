//! One line of the file format.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Call, Outcome};

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) leasehold_history: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) process: Option<String>,
    /// Free text: who recorded what, with which seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

/// Every other line: one event. Exactly one of `invoke`, `enqueued`, `return`, `settled` is there.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) t: u64,
    pub(super) op: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) invoke: Option<Call>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) enqueued: bool,
    #[serde(default, rename = "return", skip_serializing_if = "Option::is_none")]
    pub(super) returned: Option<Outcome>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) settled: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What happened on a line.
#[derive(Debug)]
pub(super) enum Event {
    Invoke(Arc<str>, Call),
    Enqueued,
    Returned(Outcome),
    Settled,
}

impl Line {
    /// The one event of the line.
    pub(super) fn event(self) -> Result<Event, String> {
        let Self { client, invoke, enqueued, returned, settled, .. } = self;
        match (invoke, enqueued, returned, settled) {
            (Some(call), false, None, false) => match client {
                Some(client) => Ok(Event::Invoke(client, call)),
                None => Err("an invocation needs a client".to_owned()),
            },
            (None, true, None, false) => Ok(Event::Enqueued),
            (None, false, Some(outcome), false) => Ok(Event::Returned(outcome)),
            (None, false, None, true) => Ok(Event::Settled),
            _ => Err("a line has exactly one of invoke, enqueued, return, settled".to_owned()),
        }
    }
}
