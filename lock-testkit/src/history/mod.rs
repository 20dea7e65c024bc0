//! Histories: what was asked of a lock service, what it answered, and when.
//!
//! A [`History`] is a plain value. It is made with a [`HistoryBuilder`] while a program runs, written
//! and read as JSON lines ([`History::write_to`], [`History::read_from`]), and merged from several
//! processes ([`History::merge`]). The format is described in `docs/history-format.md`.
//!
//! Two kinds of order live in a history and are never mixed: the *event index* says what returned
//! before what was invoked, the *time* (nanoseconds of the recorder's clock) is used for lease
//! arithmetic only. Under a virtual clock dozens of events share one instant.

mod builder;
mod call;
mod error;
mod line;
mod merge;
mod outcome;
mod read;
mod seen;
mod write;

pub use builder::HistoryBuilder;
pub use call::{Call, LeaseRequest, Mode};
pub use error::HistoryError;
pub use outcome::{Effect, HeldReason, LeaseView, Outcome};

use std::collections::BTreeSet;
use std::sync::Arc;

/// The version that the header line of the JSON-lines format carries.
pub const FORMAT_VERSION: u32 = 1;

/// The number of an operation inside its history: 0, 1, 2, … in order of invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub usize);

/// When an event happened: its place in the total order of events, and the recorder's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Place in the total order of events of the history, from 0.
    pub index: usize,
    /// Nanoseconds of the recorder's clock. It never decreases along the indices.
    pub at_ns: u64,
}

/// One operation: who called what, when, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Number of the operation in its history.
    pub id: OpId,
    /// Who called (a task, a process; a client has one operation open at a time, but nothing here
    /// depends on it).
    pub client: Arc<str>,
    /// What was called.
    pub call: Call,
    /// When it was called.
    pub invoked: Stamp,
    /// When it was certainly in the key's queue (waiting acquires only, optional).
    pub enqueued: Option<Stamp>,
    /// When it returned and with what; `None` if it never returned.
    pub returned: Option<(Stamp, Outcome)>,
    /// From when on an open or unknown operation can no longer take effect (optional).
    pub settled: Option<Stamp>,
}

impl Operation {
    /// The outcome, if the operation returned.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.returned.as_ref().map(|(_, outcome)| outcome)
    }

    /// The return stamp, if the operation returned.
    #[must_use]
    pub fn returned_at(&self) -> Option<Stamp> {
        self.returned.as_ref().map(|(stamp, _)| *stamp)
    }

    /// Whether what the operation did is unknown: it never returned, or it said so.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.outcome().is_none_or(Outcome::is_unknown)
    }

    /// Whether the operation certainly did nothing and observed nothing (an error without effect).
    #[must_use]
    pub fn is_void(&self) -> bool {
        matches!(self.outcome(), Some(Outcome::Error { effect: Effect::None, .. }))
    }

    /// The last event at which the operation can take effect, `None` if that is never over.
    #[must_use]
    pub fn closed(&self) -> Option<Stamp> {
        if self.is_unknown() { self.settled } else { self.returned_at() }
    }
}

/// A recorded run: operations in order of invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    process: Option<String>,
    operations: Vec<Operation>,
    events: usize,
}

impl History {
    /// The operations, in order of invocation; `operations()[id.0]` is the operation `id`.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// One operation.
    #[must_use]
    pub fn get(&self, id: OpId) -> Option<&Operation> {
        self.operations.get(id.0)
    }

    /// How many operations were invoked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether nothing was invoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// How many events (invocations, returns, …) the history has.
    #[must_use]
    pub fn events(&self) -> usize {
        self.events
    }

    /// Name of the process that recorded it, if the recorder gave one.
    #[must_use]
    pub fn process(&self) -> Option<&str> {
        self.process.as_deref()
    }

    /// The distinct keys, sorted.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<&str> {
        self.operations.iter().flat_map(|op| op.call.keys()).map(|key| &**key).collect()
    }

    /// The history without the operations for which `keep` says no. Event indices are kept, so what
    /// remains is ordered as before; operations get new numbers.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&Operation) -> bool) -> Self {
        let mut operations: Vec<Operation> =
            self.operations.iter().filter(|op| keep(op)).cloned().collect();
        for (index, op) in operations.iter_mut().enumerate() {
            op.id = OpId(index);
        }
        Self { process: self.process.clone(), operations, events: self.events }
    }

    /// The history with every operation passed through `change` (for mutations in tests, and for
    /// relaxations). `change` must leave `id` and the stamps' order alone.
    #[must_use]
    pub fn map(&self, mut change: impl FnMut(&mut Operation)) -> Self {
        let mut copy = self.clone();
        copy.operations.iter_mut().for_each(&mut change);
        copy
    }
}
