//! Holding on, and letting go.

use std::time::Duration;

use leasehold::{Extension, LeaseId, LockKey, Release, Timestamp, Ttl};

use super::{Machine, key::Key};
use crate::broken::bug::Bug;

impl Machine {
    pub(in crate::broken) fn extend(
        &mut self,
        now: Timestamp,
        key: &LockKey,
        id: LeaseId,
        ttl: Ttl,
    ) -> Extension {
        self.settle(now);
        self.key(key).extend(now, id, ttl)
    }

    pub(in crate::broken) fn release(
        &mut self,
        now: Timestamp,
        name: &LockKey,
        id: LeaseId,
    ) -> Release {
        const LATE: Duration = Duration::from_millis(6);
        self.settle(now);
        let late = self.has(Bug::ReleaseAppliedLate) && self.key(name).held_by(id).is_some();
        if late {
            self.late.push((now + LATE, name.clone()));
            self.key(name).dead.insert(id);
            return Release::Released;
        }
        let outcome = self.key(name).release(now, id);
        self.settle(now);
        outcome
    }

    pub(in crate::broken) fn revoke(&mut self, now: Timestamp, key: &LockKey) -> usize {
        self.settle(now);
        let revoked = self.key(key).revoke(now);
        self.settle(now);
        revoked
    }
}

impl Key {
    fn extend(&mut self, now: Timestamp, id: LeaseId, ttl: Ttl) -> Extension {
        let Some(place) = self.extensible(now, id) else { return Extension::Lost };
        let (end, shortens) = (now + ttl.get(), self.has(Bug::ExtendShortens));
        let (adds, idle) = (self.has(Bug::ExtendAdds), self.has(Bug::ExtendWithoutEffect));
        let late = self.has(Bug::ExtendTooLateIsLost);
        let shared_idle = self.has(Bug::ExtendIgnoresShared);
        let lease = &mut self.leases[place];
        if late && lease.ends_at.since(now) < lease.ttl.get() / 4 {
            return Extension::Lost;
        }
        if idle || (shared_idle && !lease.mode.is_exclusive()) {
            return Extension::Extended;
        }
        lease.ends_at = if adds {
            lease.ends_at + ttl.get()
        } else if shortens {
            end
        } else {
            end.max(lease.ends_at)
        };
        Extension::Extended
    }

    /// The place of the lease that this id may extend.
    fn extensible(&mut self, now: Timestamp, id: LeaseId) -> Option<usize> {
        if self.has(Bug::ExtendWithoutIdCheck) && !self.leases.is_empty() {
            return Some(0);
        }
        if self.has(Bug::MinHoldExtended) {
            return self.leases.iter().position(|lease| lease.id == id);
        }
        if self.has(Bug::ExtendRevivesExpired)
            && self.leases.is_empty()
            && let Some(mut ended) = self.ended.clone().filter(|ended| ended.id == id)
        {
            ended.ends_at = now;
            self.leases.push(ended);
            return Some(0);
        }
        self.held_by(id)
    }

    fn release(&mut self, now: Timestamp, id: LeaseId) -> Release {
        let again = self.dead.contains(&id);
        self.queue.retain(|waiter| waiter.request.id() != id);
        let place = self.releasable(id);
        if place.is_some() || !self.has(Bug::UnknownIdNotBuried) {
            self.bury(id);
        }
        let Some(place) = place else {
            if self.has(Bug::SecondReleaseFreesNext) && again {
                self.leases.clear();
            }
            let claims = self.has(Bug::ReleaseClaimsSuccess);
            return if claims { Release::Released } else { Release::NotHeld };
        };
        self.before = self.leases.clone();
        self.released_at = Some(now);
        if self.has(Bug::ReleaseWithoutEffect) {
            return Release::Released;
        }
        let (ignored, anew) = (self.has(Bug::MinHoldIgnored), self.has(Bug::MinHoldFromRelease));
        let all = self.has(Bug::ReleaseFreesAllShared);
        let lease = &mut self.leases[place];
        if anew {
            lease.held_until = now + lease.held_until.since(lease.granted_at);
        }
        if lease.held_until > now && !ignored {
            lease.ends_at = lease.held_until;
            lease.released = true;
            return Release::Released;
        }
        if all && !lease.mode.is_exclusive() {
            self.leases.clear();
        } else {
            self.leases.remove(place);
        }
        Release::Released
    }

    /// The place of the lease that this id may release.
    fn releasable(&self, id: LeaseId) -> Option<usize> {
        if self.has(Bug::ReleaseWithoutIdCheck) && !self.leases.is_empty() {
            return Some(0);
        }
        if self.has(Bug::MinHoldReleasedTwice) {
            return self.leases.iter().position(|lease| lease.id == id);
        }
        self.held_by(id)
    }

    fn revoke(&mut self, now: Timestamp) -> usize {
        self.before = self.leases.clone();
        let revoked = self.leases.len();
        let spares = self.has(Bug::RevokeSparesHolds);
        let leaves = self.has(Bug::RevokeLeavesOne) && revoked > 1;
        if self.has(Bug::RevokeResetsToken) {
            self.last = 0;
        }
        let mut place = 0;
        self.leases.retain(|lease| {
            place += 1;
            (spares && lease.held_until > now) || (leaves && place == revoked)
        });
        revoked
    }
}
