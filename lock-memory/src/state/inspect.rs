//! Looking without touching.

use leasehold::{KeyState, LeaseInfo, Timestamp, WaiterInfo};

use super::{State, lease::Lease, queue::Waiter};

impl State {
    /// The live leases and those who wait, at this instant. It changes nothing: a key whose lease has run out shows
    /// as free with its waiters until something ticks it.
    #[must_use]
    pub fn inspect(&self, now: Timestamp) -> KeyState {
        KeyState {
            leases: self.leases.live(now).map(|lease| of_lease(lease, now)).collect(),
            waiters: self.queue.waiting(now).map(|waiter| of_waiter(waiter, now)).collect(),
        }
    }
}

fn of_lease(lease: &Lease, now: Timestamp) -> LeaseInfo {
    LeaseInfo {
        holder: lease.claim.holder.clone(),
        mode: lease.claim.mode,
        permits: lease.claim.permits,
        token: lease.token,
        remaining: lease.ends_at.since(now),
        age: now.since(lease.granted_at),
        released: lease.released,
    }
}

fn of_waiter(waiter: &Waiter, now: Timestamp) -> WaiterInfo {
    WaiterInfo {
        holder: waiter.claim.holder.clone(),
        mode: waiter.claim.mode,
        permits: waiter.claim.permits,
        waited: now.since(waiter.since),
    }
}
