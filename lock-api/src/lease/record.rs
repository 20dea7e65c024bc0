//! One lease, shared by its guard, the body that works under it, and the keeper.

use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::life::{Due, End, Life, Loss, Terms};
use crate::{FencingToken, Grant, LeaseId, LockKey, Timestamp, Ttl, observe::Holding};

/// A lease's life with the signals that tell of its turns.
#[derive(Debug)]
pub(crate) struct Record {
    keys: Vec<LockKey>,
    id: LeaseId,
    token: OnceLock<FencingToken>,
    life: Mutex<Life>,
    changed: Notify,
    lost: CancellationToken,
    holding: Holding,
}

impl Record {
    pub(crate) fn new(keys: Vec<LockKey>, id: LeaseId, terms: Terms) -> Self {
        Self {
            keys,
            id,
            token: OnceLock::new(),
            life: Mutex::new(Life::new(terms)),
            changed: Notify::new(),
            lost: CancellationToken::new(),
            holding: Holding::default(),
        }
    }

    pub(crate) fn keys(&self) -> &[LockKey] {
        &self.keys
    }

    pub(crate) const fn id(&self) -> LeaseId {
        self.id
    }

    /// The token; `None` before the grant. It stays readable after the end.
    pub(crate) fn token(&self) -> Option<FencingToken> {
        self.token.get().copied()
    }

    /// Cancelled when the lease is lost, never when it is released.
    pub(crate) const fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Notified whenever something about the life has changed.
    pub(crate) const fn changed(&self) -> &Notify {
        &self.changed
    }

    pub(crate) fn terms(&self) -> Terms {
        *self.life().terms()
    }

    pub(crate) fn granted(&self, grant: &Grant, early: f64) {
        let _first = self.token.set(grant.token);
        self.holding.begin(grant.since, grant.token);
        self.life().granted(grant, early);
    }

    pub(crate) fn extended(&self, since: Timestamp, ttl: Ttl) {
        self.life().extended(since, ttl);
        self.changed.notify_waiters();
    }

    pub(crate) fn renewed(&self, since: Timestamp) {
        self.life().renewed(since);
        self.changed.notify_waiters();
    }

    pub(crate) fn renewal_failed(&self, now: Timestamp) {
        self.life().renewal_failed(now);
    }

    pub(crate) fn renewal_abandoned(&self) {
        self.life().renewal_abandoned();
    }

    pub(crate) fn clock_stepped(&self, by: Duration, seen: Timestamp) {
        self.life().clock_stepped(by, seen);
        self.changed.notify_waiters();
    }

    /// Ends the life; `false` if it had ended before.
    pub(crate) fn end(&self, end: End, now: Timestamp) -> bool {
        let first = self.life().end(end);
        if first {
            self.tell(end, now);
        }
        first
    }

    /// Looks at the clock; a loss found is told at once.
    pub(crate) fn tick(&self, now: Timestamp) -> Due {
        let due = self.life().tick(now);
        self.announce(&due, now);
        due
    }

    /// As [`tick`](Self::tick), for a caller who can't renew.
    pub(crate) fn tick_loss(&self, now: Timestamp) {
        let lost = self.life().tick_loss(now);
        self.announce(&Due { lost, ..Due::default() }, now);
    }

    fn announce(&self, due: &Due, now: Timestamp) {
        if due.lost {
            self.tell(End::Lost(Loss::Expired), now);
        } else if due.expiring {
            self.changed.notify_waiters();
        }
    }

    fn tell(&self, end: End, now: Timestamp) {
        let loss = match end {
            End::Lost(loss) => Some(loss),
            End::Released => None,
        };
        self.holding.end(&self.keys[0], loss, now);
        if loss.is_some() {
            self.lost.cancel();
        }
        self.changed.notify_waiters();
    }

    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        self.life().next_event()
    }

    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        self.life().is_valid(now)
    }

    pub(crate) fn is_expiring(&self) -> bool {
        self.life().is_expiring()
    }

    pub(crate) fn ended(&self) -> Option<End> {
        self.life().ended()
    }

    pub(crate) fn loss(&self) -> Option<Loss> {
        match self.ended() {
            Some(End::Lost(loss)) => Some(loss),
            Some(End::Released) | None => None,
        }
    }

    /// Until when the lease is certainly held; the origin when it is over.
    pub(crate) fn valid_until(&self) -> Timestamp {
        self.life().held().map_or(Timestamp::ORIGIN, |(_, valid_until)| valid_until)
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
