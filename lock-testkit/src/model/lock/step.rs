//! One operation of the specification.

use std::sync::Arc;

use super::ends::{after, live, release};
use super::{LiveLease, LockState, Policy, Slack};
use crate::history::{Call, LeaseRequest, Mode, Outcome};

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
    /// answer ever shows), an extension, a downgrade, a release, a revocation.
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
            (Call::Downgrade { lease, key }, took) => {
                let held = state.held(key, lease).is_some();
                match took {
                    Took::Outcome(Outcome::Lost) if !held => next.push(state.clone()),
                    Took::Outcome(Outcome::Downgraded) | Took::Effect(_) if held => {
                        next.extend(downgraded(state, key, lease));
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

    #[expect(clippy::too_many_arguments, reason = "a grant has this many parts; private")]
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
        let held: Vec<&LiveLease> =
            request.keys.iter().filter_map(|key| state.held(key, &request.lease)).collect();
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
        let ended =
            request.keys.iter().any(|key| state.on(key).any(|(name, _)| *name == request.lease));
        !dead && !ended && request.keys.iter().all(|key| state.compatible(key, request))
    }

    fn fresh(
        &self,
        state: &LockState,
        now: i64,
        request: &LeaseRequest,
        token: Option<u64>,
        ttl_ns: u64,
    ) -> Option<LockState> {
        let last = request.keys.iter().filter_map(|key| state.last_token.get(key)).max();
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
            state.leases.insert((Arc::clone(key), Arc::clone(&request.lease)), lease);
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
}

/// A writer becomes a reader, and a reader stays one; permits of another kind can't.
fn downgraded(state: &LockState, key: &Arc<str>, lease: &Arc<str>) -> Option<LockState> {
    let mut state = state.clone();
    let live = state.leases.get_mut(&(Arc::clone(key), Arc::clone(lease)))?;
    let reads = live.mode == Mode::Shared { limit: None } && live.permits == 1;
    if live.mode != Mode::Exclusive && !reads {
        return None;
    }
    (live.mode, live.permits) = (Mode::Shared { limit: None }, 1);
    Some(state)
}
