//! The independent parts of a history, as the search works on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::history::{HeldReason, LeaseView, Mode, OpId};
use crate::model::lock::Span;

/// "No lease": readings and revocations.
pub(super) const NOBODY: u32 = u32::MAX;

/// What an acquire asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spec {
    pub(super) mode: Mode,
    pub(super) permits: u32,
    /// Where the lease ends after the grant.
    pub(super) ends: Span,
    /// Where its minimum hold ends after the grant.
    pub(super) holds: Option<Span>,
}

/// What an operation says.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Granted {
        token: u64,
    },
    Held {
        reason: HeldReason,
    },
    /// `evidence`: it must have been refused at some instant.
    TimedOut {
        evidence: bool,
    },
    /// Waited, and certainly got nothing.
    Waited,
    Extended {
        ends: Span,
    },
    /// A writer became a reader.
    Downgraded,
    Lost,
    Released,
    NotHeld,
    State {
        leases: Vec<LeaseView>,
        waiters: Option<usize>,
    },
    Revoked {
        leases: usize,
    },
    MayAcquire,
    MayExtend {
        ends: Span,
    },
    MayDowngrade,
    MayRelease,
    MayRevoke,
}

/// One operation of a part.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) id: OpId,
    pub(super) kind: Kind,
    pub(super) lease: u32,
    /// Keys of the part, by number.
    pub(super) keys: SmallVec<[u32; 2]>,
    pub(super) spec: Option<Spec>,
    pub(super) waits: bool,
    /// Another call waits under its id when it is made, and it shares that one's place.
    pub(super) joins: bool,
    /// It is known when it was enqueued.
    pub(super) queued: bool,
    /// A waiting acquire that may lose grants before it answers, see [`Part::widen`].
    pub(super) roams: bool,
    /// Another acquire of the same lease may be granted after this: that the id dies matters.
    pub(super) kills: bool,
    /// Unknown acquires of one class are interchangeable; `u32::MAX`: of no class.
    pub(super) class: u32,
    /// Index of its invocation in the history's events.
    pub(super) invoked: usize,
}

impl Op {
    /// Whether it changes no state whatever the state is, so that it can be taken at once.
    pub(super) fn is_pure(&self) -> bool {
        match &self.kind {
            Kind::Held { .. } | Kind::Lost | Kind::TimedOut { .. } => true,
            Kind::NotHeld => !self.kills,
            Kind::State { leases, .. } => leases.iter().all(|view| view.remaining_ns.is_none()),
            _ => false,
        }
    }

    /// Whether it need not take effect at all.
    pub(super) fn is_optional(&self) -> bool {
        matches!(
            self.kind,
            Kind::MayAcquire
                | Kind::MayExtend { .. }
                | Kind::MayDowngrade
                | Kind::MayRelease
                | Kind::MayRevoke
                | Kind::Waited
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Invoked,
    Enqueued,
    Closed,
}

/// One event of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) op: u32,
    pub(super) what: What,
}

/// Keys that no operation connects with others, and everything that happened on them.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) keys: Vec<Arc<str>>,
    pub(super) ops: Vec<Op>,
    pub(super) events: Vec<Event>,
    /// The tokens that answers showed, by key, growing: they were granted in this order.
    pub(super) tokens: Vec<Vec<u64>>,
    /// To whom a shown token belongs, if an answer says so.
    pub(super) owners: Vec<BTreeMap<u64, u32>>,
    pub(super) leases: Vec<Arc<str>>,
    pub(super) quarantined: bool,
    /// The most definite operations open at once.
    pub(super) width: usize,
}

impl Part {
    /// Lets waiting acquires roam: what a waiter on a server was granted may be over before it hears of it, and then it
    /// queues again inside the same call; and a waiter that hears late extends before it answers.
    ///
    /// That is rarely what happened, and costs much to follow. So the search begins without, and where it ends, those
    /// waiters may roam that were open up to `reach` before `at`. False if all of them do already.
    pub(super) fn widen(&mut self, at: i64, reach: &mut i64) -> bool {
        let mut open: BTreeMap<u32, i64> = BTreeMap::new();
        let mut waited: Vec<(u32, i64)> = Vec::new();
        for event in self.events.iter().take_while(|event| event.at <= at) {
            let op = &self.ops[event.op as usize];
            match event.what {
                What::Invoked if op.waits && !op.roams => drop(open.insert(event.op, event.at)),
                What::Closed if open.remove(&event.op).is_some() => {
                    waited.push((event.op, event.at));
                }
                _ => {}
            }
        }
        waited.extend(open.into_keys().map(|number| (number, at)));
        let Some(last) = waited.iter().map(|(_, closed)| *closed).max() else { return false };
        while last < at.saturating_sub(*reach) {
            *reach = reach.saturating_mul(4);
        }
        for (number, _) in waited.iter().filter(|(_, closed)| *closed >= at.saturating_sub(*reach))
        {
            self.ops[*number as usize].roams = true;
        }
        *reach = reach.saturating_mul(4);
        true
    }

    /// The longest that a lease may live without an extension.
    pub(super) fn longest(&self) -> i64 {
        let specs = self.ops.iter().filter_map(|op| op.spec);
        specs.map(|spec| spec.ends.hi).max().unwrap_or(1)
    }
}
