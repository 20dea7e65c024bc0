//! A correct lock server in small, and every bug as one deviation from it.
//!
//! It is written for this catalogue and for nothing else: no retention, no limits of size, one lock around
//! everything. Without a bug it keeps the whole specification, and is checked as such.

mod ask;
mod end;
mod key;
mod look;
mod wait;

use std::{collections::BTreeMap, task::Waker};

use leasehold::{AcquireRequest, Grant, LeaseId, LockKey, Timestamp};

use self::key::Key;
pub(super) use self::wait::Turn;
use super::bug::Bug;

/// The server: its keys, and who waits to be told.
#[derive(Debug, Default)]
pub(super) struct Machine {
    bug: Option<Bug>,
    keys: BTreeMap<LockKey, Key>,
    /// Grants made to waiters that have not heard of them.
    mail: BTreeMap<LeaseId, Grant>,
    /// Who is told of the next change.
    wakers: Vec<Waker>,
    /// Requests that were refused, for one of the bugs.
    refused: Vec<AcquireRequest>,
    /// Deletions that are still to come, for one of the bugs.
    late: Vec<(Timestamp, LockKey)>,
    /// How many failovers there were.
    failovers: u64,
}

/// A promoted replica takes over this often, where a bug is about that.
const FAILOVER_NS: u64 = 64_000_000;

/// What a promoted replica has not seen yet.
const LAG_NS: u64 = 10_000_000;

impl Machine {
    pub(super) fn new(bug: Option<Bug>) -> Self {
        Self { bug, ..Self::default() }
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The server's clock.
    pub(super) fn time(&self, now: Timestamp) -> Timestamp {
        const STEP_AT: u64 = 30_000_000;
        const STEP: u64 = 15_000_000;
        if self.has(Bug::ServerClockStepsBack) && now.as_nanos() >= STEP_AT {
            return Timestamp::from_nanos(now.as_nanos() - STEP);
        }
        now
    }

    /// The name under which a key is kept.
    fn place(&self, key: &LockKey) -> LockKey {
        match self.keys.keys().next() {
            Some(first) if self.has(Bug::KeysShareOneLock) => first.clone(),
            _ => key.clone(),
        }
    }

    fn key(&mut self, key: &LockKey) -> &mut Key {
        let (place, bug) = (self.place(key), self.bug);
        self.keys.entry(place).or_insert_with(|| Key::new(bug))
    }

    /// Brings all keys to `now`: what ended goes, who can be granted is.
    pub(super) fn settle(&mut self, now: Timestamp) {
        self.fail_over(now);
        self.delete_late(now);
        self.grant_refused(now);
        let mut granted = Vec::new();
        for key in self.keys.values_mut() {
            key.expire(now);
            granted.append(&mut key.grant_waiters(now));
        }
        self.mail.extend(granted);
    }

    fn fail_over(&mut self, now: Timestamp) {
        let count = now.as_nanos() / FAILOVER_NS;
        if count <= self.failovers {
            return;
        }
        self.failovers = count;
        let at = Timestamp::from_nanos(count * FAILOVER_NS);
        for key in self.keys.values_mut() {
            if self.bug == Some(Bug::TokenForgottenByFailover) {
                key.last = 0;
            }
            if self.bug == Some(Bug::GrantLostByFailover) {
                key.leases.retain(|lease| at.since(lease.granted_at).as_nanos() > LAG_NS.into());
            }
        }
    }

    fn delete_late(&mut self, now: Timestamp) {
        let (due, later) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = later;
        let due: Vec<(Timestamp, LockKey)> = due;
        for (_, key) in due {
            self.key(&key).leases.clear();
        }
    }

    fn grant_refused(&mut self, now: Timestamp) {
        for request in std::mem::take(&mut self.refused) {
            let key = self.key(request.key());
            key.expire(now);
            if key.leases.is_empty() && key.queue.is_empty() {
                let token = key.mint(now);
                key.grant(now, now, &request, token);
            } else {
                self.refused.push(request);
            }
        }
    }

    /// Everybody who waits looks again.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakers)
    }

    /// Wakes this one at the next change.
    pub(super) fn watch(&mut self, waker: &Waker) {
        self.wakers.push(waker.clone());
    }

    /// The instant at which time alone changes one of the request's keys.
    pub(super) fn next_end(&self, request: &AcquireRequest) -> Option<Timestamp> {
        let keys = request.keys().iter().filter_map(|key| self.keys.get(&self.place(key)));
        keys.flat_map(|key| key.leases.iter().map(|lease| lease.ends_at)).min()
    }
}
