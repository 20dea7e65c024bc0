//! Looking without touching.

use leasehold::{
    Cursor, KeyPage, KeyState, LeaseInfo, ListRequest, ListedKey, LockKey, Timestamp, WaiterInfo,
};

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

    pub(in crate::broken) fn list(&mut self, now: Timestamp, request: &ListRequest) -> KeyPage {
        self.settle(now);
        let names: Vec<_> = self.keys.keys().cloned().collect();
        let begins = |key: &LockKey| key.as_str().starts_with(request.prefix());
        let after = request.cursor().map(Cursor::as_str);
        let wanted = names
            .into_iter()
            .filter(|key| begins(key) && after.is_none_or(|after| key.as_str() > after));
        let states = wanted.map(|key| ListedKey { state: self.key(&key).inspect(now), key });
        let mut keys: Vec<_> = states.filter(|listed| listed.state.is_in_use()).collect();
        let more = keys.len() > request.page();
        keys.truncate(request.page());
        let last = keys.last().filter(|_| more).map(|listed| Cursor::new(listed.key.as_str()));
        KeyPage { keys, next: last }
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
