//! Where leases end, and how they are given back.

use std::sync::Arc;

use super::{LockState, Span};
use crate::history::LeaseRequest;

/// Whether the request's own lease is live on all of its keys.
pub(super) fn live(state: &LockState, request: &LeaseRequest) -> bool {
    request.keys.iter().all(|key| state.held(key, &request.lease).is_some())
}

pub(super) fn after(now: i64, span: Span) -> Span {
    Span { lo: now + span.lo, hi: now + span.hi }
}

pub(super) fn meet(one: Span, other: Span) -> Option<Span> {
    let span = Span { lo: one.lo.max(other.lo), hi: one.hi.min(other.hi) };
    (span.lo <= span.hi).then_some(span)
}

/// The lease goes, or stays unusable until the end of its minimum hold; its id is dead.
pub(super) fn release(
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
        states = states.into_iter().flat_map(|state| released(state, now, &name)).collect();
    }
    next.append(&mut states);
}

fn released(mut state: LockState, now: i64, name: &(Arc<str>, Arc<str>)) -> Vec<LockState> {
    let mut next = Vec::new();
    let holds = state.leases.get(name).and_then(|lease| lease.holds);
    if let Some(holds) = holds.and_then(|holds| meet(holds, Span { lo: now + 1, hi: i64::MAX })) {
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
