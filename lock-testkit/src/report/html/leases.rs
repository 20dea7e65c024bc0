//! Leases as bars: from the answer that granted them to their certain and their last possible end.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::history::{Call, History, OpId, Operation, Outcome};
use crate::model::lock::Slack;

/// A lease on one key, as the answers tell it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LeaseBar {
    /// The operation that granted it.
    pub(super) op: usize,
    pub(super) key: Arc<str>,
    pub(super) token: u64,
    pub(super) ttl_ns: u64,
    /// When the grant was known; the lease lives from some instant before.
    pub(super) from_ns: u64,
    /// Until then it certainly lives.
    pub(super) surely_ns: u64,
    /// From then on it certainly does not.
    pub(super) possibly_ns: u64,
    pub(super) end: End,
    /// What else was asked of it: refreshes, its release, refused ones too.
    pub(super) more: Vec<usize>,
}

/// What ended a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    Expired,
    Released,
    /// Released, but in its way until its minimum hold was over.
    Held,
    Revoked,
    /// A release or revocation that may have happened.
    Unknown,
}

/// The bars of a history, in order of the grants' answers.
pub(super) fn lease_bars(history: &History, slack: Slack) -> Vec<LeaseBar> {
    let mut bars = Bars { history, slack, made: Vec::new(), open: BTreeMap::new() };
    let mut order: Vec<&Operation> = history.operations().iter().collect();
    order.sort_by_key(|op| op.returned_at().unwrap_or(op.invoked).index);
    for op in order {
        bars.take(op);
    }
    bars.made
}

struct Bars<'a> {
    history: &'a History,
    slack: Slack,
    made: Vec<LeaseBar>,
    /// The bars whose end is still open, by key and lease.
    open: BTreeMap<(&'a str, &'a str), usize>,
}

impl<'a> Bars<'a> {
    fn take(&mut self, op: &'a Operation) {
        match &op.call {
            Call::TryAcquire(request) | Call::Acquire { request, .. } => {
                let Some(Outcome::Granted { token, ttl_ns }) = op.outcome() else {
                    return;
                };
                for key in &request.keys {
                    self.granted(op, key, &request.lease, *token, *ttl_ns);
                }
            }
            Call::Extend { lease, key, ttl_ns } => {
                if let Some(bar) = self.named(op, key, lease) {
                    self.extended(op, bar, *ttl_ns);
                }
            }
            Call::Downgrade { lease, key } => {
                let _same_bar = self.named(op, key, lease);
            }
            Call::Release { lease, key } => {
                if let Some(bar) = self.named(op, key, lease) {
                    self.ended(op, key, bar, End::Released);
                }
            }
            Call::Revoke { key } => {
                let every = (&**key, "")..;
                let of_key = self.open.range(every).take_while(|((its, _), _)| *its == &**key);
                let bars: Vec<usize> = of_key.map(|(_, bar)| *bar).collect();
                for bar in bars {
                    self.made[bar].more.push(op.id.0);
                    self.ended(op, key, bar, End::Revoked);
                }
            }
            Call::Inspect { .. } => {}
        }
    }

    fn granted(
        &mut self,
        op: &Operation,
        key: &'a Arc<str>,
        lease: &'a str,
        token: u64,
        ttl_ns: u64,
    ) {
        let again = self.open.get(&(&**key, lease)).copied();
        if let Some(bar) = again.filter(|bar| self.made[*bar].token == token) {
            self.made[bar].more.push(op.id.0);
            self.refreshed(op, bar, ttl_ns);
            return;
        }
        let (from_ns, surely_ns, possibly_ns) = self.ends(op, ttl_ns);
        self.open.insert((&**key, lease), self.made.len());
        self.made.push(LeaseBar {
            op: op.id.0,
            key: Arc::clone(key),
            token,
            ttl_ns,
            from_ns,
            surely_ns,
            possibly_ns,
            end: End::Expired,
            more: Vec::new(),
        });
    }

    fn named(&mut self, op: &Operation, key: &'a str, lease: &'a str) -> Option<usize> {
        let bar = self.open.get(&(key, lease)).copied()?;
        self.made[bar].more.push(op.id.0);
        Some(bar)
    }

    /// When it returned, and where a lease of this ttl that it granted or refreshed ends.
    fn ends(&self, op: &Operation, ttl_ns: u64) -> (u64, u64, u64) {
        let span = self.slack.span(ttl_ns);
        let returned = op.closed().map_or(u64::MAX, |stamp| stamp.at_ns);
        let after = |at: u64, ns: i64| at.saturating_add(u64::try_from(ns).unwrap_or(0));
        (returned, after(op.invoked.at_ns, span.lo), after(returned, span.hi))
    }

    fn refreshed(&mut self, op: &Operation, bar: usize, ttl_ns: u64) {
        let (_, surely, possibly) = self.ends(op, ttl_ns);
        let bar = &mut self.made[bar];
        bar.surely_ns = bar.surely_ns.max(surely);
        bar.possibly_ns = bar.possibly_ns.max(possibly);
    }

    fn extended(&mut self, op: &Operation, bar: usize, ttl_ns: u64) {
        if op.outcome() == Some(&Outcome::Extended) {
            self.refreshed(op, bar, ttl_ns);
        } else if op.is_unknown() {
            // It may have moved the end, as late as it and the lease lasted.
            let hi = u64::try_from(self.slack.span(ttl_ns).hi).unwrap_or(0);
            let closed = op.closed().map_or(u64::MAX, |stamp| stamp.at_ns);
            let bar = &mut self.made[bar];
            let latest = closed.min(bar.possibly_ns).saturating_add(hi);
            bar.possibly_ns = bar.possibly_ns.max(latest);
        }
    }

    fn ended(&mut self, op: &Operation, key: &'a str, bar: usize, how: End) {
        let (floor, ceiling) = if how == End::Released { self.hold(bar) } else { (0, 0) };
        let grant = OpId(self.made[bar].op);
        let bar = &mut self.made[bar];
        let asked = op.invoked.at_ns.max(floor);
        match op.outcome() {
            _ if op.is_unknown() => {
                bar.surely_ns = bar.surely_ns.min(asked);
                bar.end = End::Unknown;
                return;
            }
            Some(Outcome::Released | Outcome::Revoked { .. }) => {}
            _ => return,
        }
        let answered = op.returned_at().map_or(asked, |stamp| stamp.at_ns);
        if ceiling > answered {
            (bar.surely_ns, bar.possibly_ns, bar.end) = (asked, ceiling, End::Held);
        } else {
            bar.surely_ns = bar.surely_ns.min(asked);
            bar.possibly_ns = bar.possibly_ns.min(answered);
            bar.end = how;
        }
        if let Some(lease) = self.history.get(grant).and_then(|op| op.call.lease()) {
            self.open.remove(&(key, &**lease));
        }
    }

    /// Until when the minimum hold of a lease keeps its key certainly, and possibly; 0 without one.
    fn hold(&self, bar: usize) -> (u64, u64) {
        let grant = self.history.get(OpId(self.made[bar].op));
        let hold = grant.and_then(|op| op.call.request()).map_or(0, |request| request.min_hold_ns);
        match grant {
            Some(grant) if hold > 0 => {
                let (_, surely, possibly) = self.ends(grant, hold);
                (surely, possibly)
            }
            _ => (0, 0),
        }
    }
}
