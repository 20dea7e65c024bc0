//! Looking without touching.

use leasehold::{KeyState, LeaseInfo, LockKey, Timestamp, WaiterInfo};

use super::{
    Machine,
    key::{Key, Lease},
};
use crate::broken::bug::Bug;

impl Machine {
    pub(in crate::broken) fn inspect(&mut self, now: Timestamp, key: &LockKey) -> KeyState {
        self.settle(now);
        self.key(key).inspect(now)
    }
}

impl Key {
    fn inspect(&self, now: Timestamp) -> KeyState {
        let lagging = self.before.iter().filter(|lease| now < lease.ends_at);
        let mut leases: Vec<_> = if self.has(Bug::InspectLags) {
            lagging.map(|lease| self.view(lease, now)).collect()
        } else {
            self.leases.iter().map(|lease| self.view(lease, now)).collect()
        };
        if self.has(Bug::InspectShowsEnded) && leases.is_empty() {
            leases.extend(self.ended.iter().map(|lease| self.view(lease, now)));
        }
        let hidden = self.has(Bug::InspectHidesWaiters);
        let waiters = self.queue.iter().filter(|_| !hidden);
        let waiters = waiters.map(|waiter| WaiterInfo {
            holder: waiter.request.holder().clone(),
            mode: waiter.request.mode(),
            permits: waiter.request.permits(),
            waited: now.since(waiter.since),
        });
        KeyState { leases, waiters: waiters.collect() }
    }

    fn view(&self, lease: &Lease, now: Timestamp) -> LeaseInfo {
        let whole = self.has(Bug::InspectShowsWholeTtl);
        LeaseInfo {
            holder: lease.holder.clone(),
            mode: lease.mode,
            permits: lease.permits,
            token: lease.grant().token,
            remaining: if whole { lease.ttl.get() } else { lease.ends_at.since(now) },
            age: now.since(lease.granted_at),
            released: lease.released,
        }
    }
}
