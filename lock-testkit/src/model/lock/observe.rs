//! Outcomes that change nothing: refusals and readings.

use std::sync::Arc;

use super::ends::{after, live, meet};
use super::{LockModel, LockState, QueueView};
use crate::history::{HeldReason, LeaseRequest, LeaseView, Mode};

impl LockModel {
    /// Whether a request may be refused here (for this reason, if one was said).
    pub(super) fn refuses(
        &self,
        state: &LockState,
        request: &LeaseRequest,
        reason: Option<HeldReason>,
        queue: QueueView,
    ) -> bool {
        if reason == Some(HeldReason::Quarantine) || state.is_dead(request) {
            return true;
        }
        let own = |key: &Arc<str>| state.leases.get(&(Arc::clone(key), Arc::clone(&request.lease)));
        if request.keys.iter().any(|key| own(key).is_some_and(|lease| lease.released)) {
            return true;
        }
        if live(state, request) {
            return false;
        }
        let partly = request.keys.iter().any(|key| own(key).is_some());
        let lease = partly || !request.keys.iter().all(|key| state.compatible(key, request));
        let waiter = queue.possible > 0;
        match reason {
            Some(HeldReason::Lease) if self.policy.honest_reasons => lease,
            Some(HeldReason::Queue) if self.policy.honest_reasons => waiter,
            _ => lease || waiter,
        }
    }

    /// The state after a reading, if it fits: every usable lease is shown, and what is shown is live.
    pub(super) fn shown(
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
