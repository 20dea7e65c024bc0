//! Holding on, and letting go.

use leasehold::{Downgrade, Extension, LeaseId, Mode, Release, Timestamp, Ttl};

use super::{Refusal, State, WakeUp};

impl State {
    /// Makes the lease of `id` end no earlier than `ttl` from now, if it is live and was not released.
    pub fn extend(&mut self, now: Timestamp, id: LeaseId, ttl: Ttl) -> (Extension, Vec<WakeUp>) {
        let Some(lease) = self.leases.held_by(now, id) else {
            return (Extension::Lost, Vec::new());
        };
        lease.extend(now, ttl);
        (Extension::Extended, self.tick(now))
    }

    /// Makes the exclusive lease of `id` a read lock with the same token and end, and lets in whom that lets in. A
    /// read lock stays as it is; permits of a semaphore are refused.
    pub fn downgrade(
        &mut self,
        now: Timestamp,
        id: LeaseId,
    ) -> (Result<Downgrade, Refusal>, Vec<WakeUp>) {
        let Some(lease) = self.leases.held_by(now, id) else {
            return (Ok(Downgrade::Lost), Vec::new());
        };
        match (lease.claim.mode, lease.claim.permits) {
            (Mode::READ, 1) => {}
            (Mode::Shared { .. }, _) => return (Err(Refusal::IdReused), Vec::new()),
            (Mode::Exclusive, _) => (lease.claim.mode, lease.claim.permits) = (Mode::READ, 1),
        }
        (Ok(Downgrade::Downgraded), self.tick(now))
    }

    /// Gives up the lease of `id`, its place in the queue, or the bare id; it is never granted again. A lease with
    /// a minimum hold that still runs becomes nobody's and stays until that is over.
    pub fn release(&mut self, now: Timestamp, id: LeaseId) -> (Release, Vec<WakeUp>) {
        let waited = self.queue.remove(id);
        let Some(lease) = self.leases.held_by(now, id) else {
            self.tombstones.bury(now, id);
            let granted = if waited { self.tick(now) } else { Vec::new() };
            return (Release::NotHeld, granted);
        };
        let held_until = lease.granted_at + lease.claim.min_hold.unwrap_or_default();
        lease.ends_at = held_until.max(now);
        lease.released = true;
        self.tombstones.bury(now, id);
        (Release::Released, self.tick(now))
    }

    /// Gives up an acquisition whose outcome nobody will see: its place in the queue, or the lease it was just granted.
    ///
    /// Unlike a [`release`](Self::release) it ends a lease with a minimum hold at once: the hold never began.
    pub fn leave(&mut self, now: Timestamp, id: LeaseId) -> Vec<WakeUp> {
        let held = self.leases.held_by(now, id).is_some();
        if held {
            self.leases.remove(id);
        }
        let waited = self.queue.remove(id);
        self.tombstones.bury(now, id);
        if held || waited { self.tick(now) } else { Vec::new() }
    }

    /// Removes every live lease, minimum holds included, and says which; the next waiters are granted. The next token is
    /// still greater.
    pub fn revoke(&mut self, now: Timestamp) -> (Vec<LeaseId>, Vec<WakeUp>) {
        let revoked = self.leases.live(now).map(|lease| lease.claim.id).collect();
        self.leases.clear();
        (revoked, self.tick(now))
    }
}
