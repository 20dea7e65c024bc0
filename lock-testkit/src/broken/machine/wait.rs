//! Standing in the queue.

use leasehold::{
    Acquire, AcquireRequest, Held, HeldReason, LeaseId, LockKey, Result, Timestamp, TryAcquire,
};

use super::{Machine, key::Waiter};
use crate::broken::bug::Bug;

/// Where a waiter stands.
pub(in crate::broken) enum Turn {
    Over(Acquire),
    Waits,
}

impl Machine {
    /// Asks, and joins the queue if it can't be granted. A request for several keys stands in no queue: it tries
    /// again at every change.
    pub(in crate::broken) fn enqueue(
        &mut self,
        now: Timestamp,
        request: &AcquireRequest,
        deadline: Timestamp,
        late: bool,
    ) -> Result<Turn> {
        if let TryAcquire::Granted(grant) = self.try_acquire(now, request)? {
            return Ok(Turn::Over(Acquire::Granted(grant)));
        }
        let id = request.id();
        let key = self.key(request.key());
        let released = key.find(id).is_some();
        let queued = key.queue.iter().any(|waiter| waiter.request.id() == id);
        if request.keys().len() == 1 && !queued && !released {
            let request = request.clone();
            key.queue.push_back(Waiter { request, since: now, deadline });
        }
        self.resume(now, request, late)
    }

    /// Looks how a waiter stands now; `late` if its deadline has passed.
    pub(in crate::broken) fn resume(
        &mut self,
        now: Timestamp,
        request: &AcquireRequest,
        late: bool,
    ) -> Result<Turn> {
        self.settle(now);
        let id = request.id();
        if let Some(grant) = self.mail.remove(&id) {
            return Ok(Turn::Over(Acquire::Granted(grant)));
        }
        let waits = self.key(request.key()).queue.iter().any(|waiter| waiter.request.id() == id);
        if !waits && let TryAcquire::Granted(grant) = self.try_acquire(now, request)? {
            return Ok(Turn::Over(Acquire::Granted(grant)));
        }
        if !late {
            return Ok(Turn::Waits);
        }
        if self.has(Bug::TimeoutAsGrant) {
            let grant = self.key(request.key()).leases.first().map(|lease| lease.grant());
            if let Some(grant) = grant {
                return Ok(Turn::Over(Acquire::Granted(grant)));
            }
        }
        if !self.has(Bug::TimedOutWaiterIsGranted) {
            self.leave(now, request.keys(), id);
        }
        Ok(Turn::Over(Acquire::TimedOut(Held::because(HeldReason::Lease))))
    }

    /// Gives up a wait: its place in the queue, or the lease it was just granted.
    pub(in crate::broken) fn leave(&mut self, now: Timestamp, keys: &[LockKey], id: LeaseId) {
        self.mail.remove(&id);
        for key in keys {
            let key = self.key(key);
            key.queue.retain(|waiter| waiter.request.id() != id);
            key.leases.retain(|lease| lease.id != id || lease.released);
            key.dead.insert(id);
        }
        self.settle(now);
    }
}
