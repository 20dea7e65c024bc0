//! One operation of the specification.

use std::sync::Arc;

use super::{LiveLease, LockState, Policy, Slack, Span};
use crate::history::{Call, HeldReason, LeaseRequest, LeaseView, Mode, Outcome};

/// The specification of leases, for a clock and a backend's promises.
#[derive(Clone, Copy, Debug, Default)]
pub struct LockModel {
    /// Where leases may end.
    pub slack: Slack,
    /// What the backend promises.
    pub policy: Policy,
}

/// What is known about the queue of the keys that an operation touches, itself left aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueView {
    /// Requests that may be waiting.
    pub possible: usize,
    /// Requests that certainly wait.
    pub certain: usize,
    /// Somebody certainly waits ahead of this operation.
    pub ahead: bool,
}

/// What an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took<'a> {
    /// It had this outcome.
    Outcome(&'a Outcome),
    /// Its outcome is unknown, and this is its effect: a grant with this token (`None`: one that no
    /// answer ever shows), an extension, a release, a revocation.
    Effect(Option<u64>),
}

impl LockModel {
    /// The states in which `call` can leave `state` when it takes effect at `now` (nanoseconds of the
    /// clock) as `took` says. None means that it cannot.
    ///
    /// A waiting acquire that timed out is judged by its evidence only (it was refused); its possible
    /// grant and the leaving are [`grant`](Self::grant) and [`leave`](Self::leave).
    #[must_use]
    pub fn step(
        &self,
        state: &LockState,
        now: i64,
        call: &Call,
        took: Took<'_>,
        queue: QueueView,
    ) -> Vec<LockState> {
        let mut next = Vec::new();
        for state in state.at(now) {
            self.apply(&state, now, call, took, queue, &mut next);
        }
        next.sort();
        next.dedup();
        next
    }

    fn apply(
        &self,
        state: &LockState,
        now: i64,
        call: &Call,
        took: Took<'_>,
        queue: QueueView,
        next: &mut Vec<LockState>,
    ) {
        match (call, took) {
            (Call::TryAcquire(request) | Call::Acquire { request, .. }, took) => match took {
                Took::Outcome(Outcome::Granted { token, ttl_ns }) => {
                    let (waits, token) = (call.waits(), Some(*token));
                    self.granted(state, now, request, token, *ttl_ns, waits, queue, next);
                }
                Took::Effect(token) => {
                    let (waits, ttl) = (call.waits(), request.ttl_ns);
                    self.granted(state, now, request, token, ttl, waits, queue, next);
                }
                Took::Outcome(Outcome::Held { reason }) => {
                    if self.refuses(state, request, Some(*reason), queue) {
                        next.push(state.clone());
                    }
                }
                Took::Outcome(Outcome::TimedOut) => {
                    if self.refuses(state, request, None, queue) {
                        next.push(state.clone());
                    }
                }
                Took::Outcome(_) => {}
            },
            (Call::Extend { lease, key, ttl_ns }, took) => {
                let held = state.held(key, lease).is_some();
                match took {
                    Took::Outcome(Outcome::Lost) if !held => next.push(state.clone()),
                    Took::Outcome(Outcome::Extended) | Took::Effect(_) if held => {
                        next.push(self.refreshed(
                            state,
                            now,
                            std::slice::from_ref(key),
                            lease,
                            *ttl_ns,
                        ));
                    }
                    _ => {}
                }
            }
            (Call::Release { lease, key }, took) => {
                let held = state.held(key, lease).is_some();
                match took {
                    Took::Outcome(Outcome::NotHeld) if !held => {
                        let mut state = state.clone();
                        state.dead.insert((Arc::clone(key), Arc::clone(lease)));
                        next.push(state);
                    }
                    Took::Outcome(Outcome::Released) | Took::Effect(_) if held => {
                        release(state, now, std::slice::from_ref(key), lease, next);
                    }
                    _ => {}
                }
            }
            (Call::Inspect { key }, Took::Outcome(Outcome::State { leases, waiters })) => {
                let counted = waiters.is_none_or(|n| (queue.certain..=queue.possible).contains(&n));
                if counted && let Some(state) = self.shown(state, now, key, leases) {
                    next.push(state);
                }
            }
            (Call::Revoke { key }, took) => {
                let all = state.on(key).count();
                let usable = state.on(key).filter(|(_, lease)| !lease.released).count();
                let fits = match took {
                    Took::Outcome(Outcome::Revoked { leases }) => (usable..=all).contains(leases),
                    Took::Effect(_) => true,
                    Took::Outcome(_) => false,
                };
                if fits {
                    let mut state = state.clone();
                    state.leases.retain(|(on, _), _| on != key);
                    next.push(state);
                }
            }
            _ => {}
        }
    }

    /// A possible grant to a waiting acquire that later timed out, or to one whose fate is unknown.
    #[must_use]
    pub fn grant(
        &self,
        state: &LockState,
        now: i64,
        request: &LeaseRequest,
        token: Option<u64>,
        queue: QueueView,
    ) -> Vec<LockState> {
        let mut next = Vec::new();
        for state in state.at(now) {
            if !live(&state, request) {
                let ttl_ns = request.ttl_ns;
                self.granted(&state, now, request, token, ttl_ns, true, queue, &mut next);
            }
        }
        next
    }

    /// A waiting acquire gives up: what it was granted is released, and its id is dead.
    #[must_use]
    pub fn leave(&self, state: &LockState, now: i64, request: &LeaseRequest) -> Vec<LockState> {
        let mut next = Vec::new();
        for state in state.at(now) {
            release(&state, now, &request.keys, &request.lease, &mut next);
        }
        next
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a grant has this many parts; private"
    )]
    fn granted(
        &self,
        state: &LockState,
        now: i64,
        request: &LeaseRequest,
        token: Option<u64>,
        ttl_ns: u64,
        waits: bool,
        queue: QueueView,
        next: &mut Vec<LockState>,
    ) {
        let held: Vec<&LiveLease> = request
            .keys
            .iter()
            .filter_map(|key| state.held(key, &request.lease))
            .collect();
        if held.is_empty() {
            if !queue.ahead && self.grantable(state, request) {
                next.extend(self.fresh(state, now, request, token, ttl_ns));
            }
            return;
        }
        let same = |lease: &&LiveLease| {
            lease.mode == request.mode && lease.permits == request.permits && lease.token == token
        };
        if held.len() == request.keys.len() && held.iter().all(same) {
            next.push(self.refreshed(state, now, &request.keys, &request.lease, ttl_ns));
            if waits {
                next.push(state.clone());
            }
        }
    }

    /// Whether nothing but the queue stands in the way of a grant under a new token.
    fn grantable(&self, state: &LockState, request: &LeaseRequest) -> bool {
        let dead = self.policy.tombstones && state.is_dead(request);
        let ended = request
            .keys
            .iter()
            .any(|key| state.on(key).any(|(name, _)| *name == request.lease));
        !dead
            && !ended
            && request
                .keys
                .iter()
                .all(|key| state.compatible(key, request))
    }

    fn fresh(
        &self,
        state: &LockState,
        now: i64,
        request: &LeaseRequest,
        token: Option<u64>,
        ttl_ns: u64,
    ) -> Option<LockState> {
        let last = request
            .keys
            .iter()
            .filter_map(|key| state.last_token.get(key))
            .max();
        let last = last.copied().unwrap_or(0);
        let number = token.unwrap_or(last + 1);
        if number <= last {
            return None;
        }
        let mut state = state.clone();
        let holds =
            (request.min_hold_ns > 0).then(|| after(now, self.slack.span(request.min_hold_ns)));
        for key in &request.keys {
            state.last_token.insert(Arc::clone(key), number);
            let lease = LiveLease {
                token,
                mode: request.mode,
                permits: request.permits,
                ends: after(now, self.slack.span(ttl_ns)),
                holds,
                released: false,
            };
            state
                .leases
                .insert((Arc::clone(key), Arc::clone(&request.lease)), lease);
        }
        Some(state)
    }

    /// The expiry becomes the later of what it was and now + ttl.
    fn refreshed(
        &self,
        state: &LockState,
        now: i64,
        keys: &[Arc<str>],
        lease: &Arc<str>,
        ttl_ns: u64,
    ) -> LockState {
        let mut state = state.clone();
        let ends = after(now, self.slack.span(ttl_ns));
        for key in keys {
            if let Some(lease) = state.leases.get_mut(&(Arc::clone(key), Arc::clone(lease))) {
                lease.ends.lo = lease.ends.lo.max(ends.lo);
                lease.ends.hi = lease.ends.hi.max(ends.hi);
            }
        }
        state
    }

    /// Whether a request may be refused here (for this reason, if one was said).
    fn refuses(
        &self,
        state: &LockState,
        request: &LeaseRequest,
        reason: Option<HeldReason>,
        queue: QueueView,
    ) -> bool {
        if reason == Some(HeldReason::Quarantine) || state.is_dead(request) {
            return true;
        }
        let own = |key: &Arc<str>| {
            state
                .leases
                .get(&(Arc::clone(key), Arc::clone(&request.lease)))
        };
        if request
            .keys
            .iter()
            .any(|key| own(key).is_some_and(|lease| lease.released))
        {
            return true;
        }
        if live(state, request) {
            return false;
        }
        let partly = request.keys.iter().any(|key| own(key).is_some());
        let lease = partly
            || !request
                .keys
                .iter()
                .all(|key| state.compatible(key, request));
        let waiter = queue.possible > 0;
        match reason {
            Some(HeldReason::Lease) if self.policy.honest_reasons => lease,
            Some(HeldReason::Queue) if self.policy.honest_reasons => waiter,
            _ => lease || waiter,
        }
    }

    /// The state after a reading, if it fits: every usable lease is shown, and what is shown is live.
    fn shown(
        &self,
        state: &LockState,
        now: i64,
        key: &Arc<str>,
        views: &[LeaseView],
    ) -> Option<LockState> {
        let mut state = state.clone();
        let mut shown = 0;
        for ((on, _), lease) in &mut state.leases {
            if on != key {
                continue;
            }
            let view = views.iter().find(|view| Some(view.token) == lease.token);
            match view {
                Some(view) => {
                    shown += 1;
                    if view.mode.is_some_and(|mode: Mode| mode != lease.mode) {
                        return None;
                    }
                    if let Some(remaining) = view.remaining_ns {
                        let ends = after(now, self.slack.remaining(remaining));
                        lease.ends = meet(lease.ends, ends)?;
                    }
                }
                None if lease.released => {}
                None => return None,
            }
        }
        (shown == views.len()).then_some(state)
    }
}

/// Whether the request's own lease is live on all of its keys.
fn live(state: &LockState, request: &LeaseRequest) -> bool {
    request
        .keys
        .iter()
        .all(|key| state.held(key, &request.lease).is_some())
}

fn after(now: i64, span: Span) -> Span {
    Span {
        lo: now + span.lo,
        hi: now + span.hi,
    }
}

fn meet(one: Span, other: Span) -> Option<Span> {
    let span = Span {
        lo: one.lo.max(other.lo),
        hi: one.hi.min(other.hi),
    };
    (span.lo <= span.hi).then_some(span)
}

/// The lease goes, or stays unusable until the end of its minimum hold; its id is dead.
fn release(
    state: &LockState,
    now: i64,
    keys: &[Arc<str>],
    lease: &Arc<str>,
    next: &mut Vec<LockState>,
) {
    let mut states = vec![state.clone()];
    for key in keys {
        for state in &mut states {
            state.dead.insert((Arc::clone(key), Arc::clone(lease)));
        }
        if state.held(key, lease).is_none() {
            continue;
        }
        let name = (Arc::clone(key), Arc::clone(lease));
        states = states
            .into_iter()
            .flat_map(|state| released(state, now, &name))
            .collect();
    }
    next.append(&mut states);
}

fn released(mut state: LockState, now: i64, name: &(Arc<str>, Arc<str>)) -> Vec<LockState> {
    let mut next = Vec::new();
    let holds = state.leases.get(name).and_then(|lease| lease.holds);
    if let Some(holds) = holds.and_then(|holds| {
        meet(
            holds,
            Span {
                lo: now + 1,
                hi: i64::MAX,
            },
        )
    }) {
        let mut held = state.clone();
        if let Some(lease) = held.leases.get_mut(name) {
            lease.ends = holds;
            lease.holds = None;
            lease.released = true;
        }
        next.push(held);
    }
    if holds.is_none_or(|holds| holds.lo <= now) {
        state.leases.remove(name);
        next.push(state);
    }
    next
}
