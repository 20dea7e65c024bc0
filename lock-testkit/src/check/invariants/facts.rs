//! What is certain and what is possible about each lease on each key.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Bounds;
use crate::check::lock::Options;
use crate::history::{Call, History, LeaseRequest, OpId, Operation, Outcome};

/// Never.
pub(super) const NEVER: u64 = u64::MAX;

/// A lease that was certainly granted on a key, under one token.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) key: &'a Arc<str>,
    pub(super) lease: &'a Arc<str>,
    pub(super) token: u64,
    pub(super) request: &'a LeaseRequest,
    /// An operation that was answered "granted".
    pub(super) grant: &'a Operation,
    /// The first event at which the lease was asked for on this key.
    pub(super) asked: usize,
    /// The first answer that proves the grant: index of its event, and time.
    pub(super) since: (usize, u64),
    /// It is certainly live from `since` until just before this instant.
    pub(super) certain_until: u64,
    /// It may be live from here (nanoseconds) …
    pub(super) possible_from: u64,
    /// … until just before this instant.
    pub(super) possible_until: u64,
}

/// A stretch of time in which a key may be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: u64,
    pub(super) until: u64,
    /// The acquire behind it.
    pub(super) op: OpId,
    /// Its token, if it was certainly granted.
    pub(super) token: Option<u64>,
}

/// Everything that the invariants look at.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) history: &'a History,
    pub(super) options: &'a Options,
    pub(super) bounds: Bounds,
    /// Certain grants by key, in order of token.
    pub(super) sessions: BTreeMap<&'a Arc<str>, Vec<Session<'a>>>,
    /// When a key may be taken, by key, sorted by start.
    pub(super) taken: BTreeMap<&'a Arc<str>, Vec<Stretch>>,
    /// The operations that name a lease on a key.
    pub(super) by_lease: BTreeMap<(&'a Arc<str>, &'a Arc<str>), Vec<&'a Operation>>,
    /// Revocations that may have happened, by key.
    revokes: BTreeMap<&'a Arc<str>, Vec<&'a Operation>>,
    /// Readings by key.
    pub(super) readings: BTreeMap<&'a Arc<str>, Vec<&'a Operation>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(history: &'a History, options: &'a Options, bounds: Bounds) -> Self {
        let mut facts = Self {
            history,
            options,
            bounds,
            sessions: BTreeMap::new(),
            taken: BTreeMap::new(),
            by_lease: BTreeMap::new(),
            revokes: BTreeMap::new(),
            readings: BTreeMap::new(),
        };
        for op in history.operations() {
            facts.file(op);
        }
        let names: Vec<_> = facts.by_lease.keys().copied().collect();
        for (key, lease) in names {
            facts.tell(key, lease);
        }
        for sessions in facts.sessions.values_mut() {
            sessions.sort_by_key(|session| session.token);
        }
        for taken in facts.taken.values_mut() {
            taken.sort_by_key(|stretch| stretch.from);
        }
        facts
    }

    /// The operations on a lease and key.
    pub(super) fn of(&self, key: &'a Arc<str>, lease: &'a Arc<str>) -> &[&'a Operation] {
        self.by_lease.get(&(key, lease)).map_or(&[], Vec::as_slice)
    }

    /// The certain grants of a lease on a key.
    pub(super) fn sessions_of(
        &self,
        key: &Arc<str>,
        lease: &Arc<str>,
    ) -> impl Iterator<Item = &Session<'a>> {
        let sessions = self.sessions.get(key).into_iter().flatten();
        sessions.filter(move |session| session.lease == lease)
    }

    /// Whether a waiter may have been granted, lost that before it heard of it, and queued again behind others: on a
    /// server, if it waited for as long as a lease lives, or somebody revoked or released meanwhile.
    pub(super) fn may_queue_again(&self, op: &Operation) -> bool {
        let (Some(request), Some(returned)) = (op.call.request(), op.returned_at()) else {
            return true;
        };
        if self.options.slack.is_exact() {
            return false;
        }
        let meanwhile = |other: &&Operation| {
            other.invoked.index < returned.index
                && other.closed().is_none_or(|closed| closed.index > op.invoked.index)
        };
        let mut revokes = request.keys.iter().flat_map(|key| self.revokes.get(key)).flatten();
        self.early(op.invoked.at_ns, request.ttl_ns) <= returned.at_ns || revokes.any(meanwhile)
    }

    fn file(&mut self, op: &'a Operation) {
        for key in op.call.keys() {
            if let Some(lease) = op.call.lease() {
                self.by_lease.entry((key, lease)).or_default().push(op);
            }
            match &op.call {
                Call::Revoke { .. } if !op.is_void() => {
                    self.revokes.entry(key).or_default().push(op);
                }
                Call::Inspect { .. } => self.readings.entry(key).or_default().push(op),
                _ => {}
            }
        }
    }

    fn tell(&mut self, key: &'a Arc<str>, lease: &'a Arc<str>) {
        let ops = self.by_lease.get(&(key, lease)).cloned().unwrap_or_default();
        let mut by_token: BTreeMap<u64, Vec<&'a Operation>> = BTreeMap::new();
        for op in &ops {
            match (op.outcome(), op.call.request()) {
                (Some(Outcome::Granted { token, .. }), _) => {
                    by_token.entry(*token).or_default().push(op);
                }
                (_, Some(request)) if unseen(op) => {
                    let stretch = self.unseen(op, request, &ops);
                    self.taken.entry(key).or_default().push(stretch);
                }
                _ => {}
            }
        }
        let unseen = ops.iter().any(|op| op.call.request().is_some() && unseen(op));
        let alone = by_token.len() == 1 && !unseen;
        for (token, grants) in by_token {
            let Some(session) = self.session(key, lease, token, &grants, &ops, alone) else {
                continue;
            };
            let (from, until) = (session.possible_from, session.possible_until);
            let (op, token) = (session.grant.id, Some(session.token));
            self.taken.entry(key).or_default().push(Stretch { from, until, op, token });
            self.sessions.entry(key).or_default().push(session);
        }
    }

    /// When an acquire that nobody saw granted may have taken the key.
    fn unseen(&self, op: &Operation, request: &LeaseRequest, ops: &[&Operation]) -> Stretch {
        let closed = op.closed().map_or(NEVER, |stamp| stamp.at_ns);
        let longest = if timed_out(op) { 0 } else { request.ttl_ns };
        let held = if request.min_hold_ns > longest { request.min_hold_ns } else { longest };
        let until = if held == 0 { closed.saturating_add(1) } else { self.late(closed, held) };
        let until = self.prolonged(until, ops);
        Stretch { from: op.invoked.at_ns, until, op: op.id, token: None }
    }

    /// The latest end of a lease that was granted or refreshed not after `at`.
    fn late(&self, at: u64, ttl_ns: u64) -> u64 {
        at.saturating_add(u64::try_from(self.options.slack.span(ttl_ns).hi).unwrap_or(NEVER))
    }

    /// The earliest end of a lease that was granted or refreshed not before `at`.
    fn early(&self, at: u64, ttl_ns: u64) -> u64 {
        at.saturating_add(u64::try_from(self.options.slack.span(ttl_ns).lo).unwrap_or(0))
    }

    fn session(
        &self,
        key: &'a Arc<str>,
        lease: &'a Arc<str>,
        token: u64,
        grants: &[&'a Operation],
        ops: &[&'a Operation],
        alone: bool,
    ) -> Option<Session<'a>> {
        let grant = *grants.first()?;
        let request = grant.call.request()?;
        let acquires = ops.iter().filter(|op| op.call.request().is_some()).count();
        let mut since = grant.returned_at().map(|stamp| (stamp.index, stamp.at_ns))?;
        let mut certain_until = 0;
        let mut latest = 0;
        for op in grants {
            let Some(Outcome::Granted { ttl_ns, .. }) = op.outcome() else {
                continue;
            };
            let returned = op.returned_at()?;
            since = since.min((returned.index, returned.at_ns));
            latest = latest.max(self.late(returned.at_ns, *ttl_ns));
            if !op.call.waits() || acquires == 1 {
                certain_until = certain_until.max(self.early(op.invoked.at_ns, *ttl_ns));
            }
        }
        let first = grants.iter().map(|op| op.invoked).min()?;
        // A lease name that may have been granted several times: its other operations belong to either.
        if alone {
            for op in ops {
                let extended = matches!(op.outcome(), Some(Outcome::Extended));
                if let (Call::Extend { ttl_ns, .. }, true) = (&op.call, extended) {
                    certain_until = certain_until.max(self.early(op.invoked.at_ns, *ttl_ns));
                }
            }
        }
        let ends = ops.iter().filter(|op| may_end(op));
        let revokes = self.revokes.get(key).into_iter().flatten();
        for op in ends.chain(revokes) {
            if op.closed().is_none_or(|closed| closed.index > first.index) {
                certain_until = certain_until.min(op.invoked.at_ns);
            }
        }
        let possible_until = self.possible_until(latest, request, since.1, ops, alone);
        let asked = ops.iter().filter(|op| may_grant(op)).map(|op| op.invoked).min()?;
        Some(Session {
            key,
            lease,
            token,
            request,
            grant,
            asked: asked.index,
            since,
            certain_until,
            possible_from: asked.at_ns,
            possible_until,
        })
    }

    /// A latest end, moved by every refresh that may have come in time.
    fn prolonged(&self, mut until: u64, ops: &[&Operation]) -> u64 {
        for op in ops {
            let closed = op.closed().map_or(NEVER, |stamp| stamp.at_ns);
            let ttl_ns = match &op.call {
                Call::Extend { ttl_ns, .. } => *ttl_ns,
                Call::TryAcquire(request) | Call::Acquire { request, .. } => request.ttl_ns,
                _ => continue,
            };
            let refreshes = matches!(op.outcome(), Some(Outcome::Extended)) || op.is_unknown();
            if refreshes && op.invoked.at_ns < until {
                until = until.max(self.late(closed.min(until), ttl_ns));
            }
        }
        until
    }

    /// The latest end, over every refresh that may have come in time.
    fn possible_until(
        &self,
        granted: u64,
        request: &LeaseRequest,
        since: u64,
        ops: &[&'a Operation],
        alone: bool,
    ) -> u64 {
        let until = self.prolonged(granted, ops);
        let hold = |at: u64| {
            if request.min_hold_ns == 0 {
                at
            } else {
                at.max(self.late(since, request.min_hold_ns))
            }
        };
        let released = ops.iter().filter(|op| matches!(op.outcome(), Some(Outcome::Released)));
        let released =
            released.filter_map(|op| op.returned_at()).map(|stamp| stamp.at_ns + 1).min();
        match released {
            Some(at) if alone => hold(at.min(until)),
            _ => hold(until),
        }
    }
}

/// Whether an operation may have done something that its outcome does not tell.
fn unseen(op: &Operation) -> bool {
    op.is_unknown() || timed_out(op)
}

pub(super) fn timed_out(op: &Operation) -> bool {
    matches!(op.outcome(), Some(Outcome::TimedOut))
}

/// Whether an operation may have ended its lease, or what it was: a writer that is a reader no longer excludes readers.
fn may_end(op: &Operation) -> bool {
    match &op.call {
        Call::Release { .. } => op.is_unknown() || matches!(op.outcome(), Some(Outcome::Released)),
        Call::Downgrade { .. } => {
            op.is_unknown() || matches!(op.outcome(), Some(Outcome::Downgraded))
        }
        Call::TryAcquire(_) | Call::Acquire { .. } => unseen(op),
        _ => false,
    }
}

/// Whether an operation may have got its lease.
pub(super) fn may_grant(op: &Operation) -> bool {
    let granted = matches!(op.outcome(), Some(Outcome::Granted { .. } | Outcome::TimedOut));
    op.call.request().is_some() && (granted || op.is_unknown())
}
