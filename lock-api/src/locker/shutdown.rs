//! Ends a locker in bounded time.

use std::{sync::Arc, time::Duration};

use super::Locker;
use crate::{
    LockBackend, LockKey, Loss, Timestamp,
    lease::{End, record::Record},
    time::timeout_at,
};

/// What a shutdown left behind.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[must_use]
pub struct ShutdownReport {
    /// Keys whose guards were still alive at the timeout. Their holders were told that the lease is lost, and
    /// the leases were released.
    pub taken_away: Vec<LockKey>,
    /// Releases that nobody had confirmed at the end: those leases end with their ttl.
    pub unconfirmed: usize,
}

impl ShutdownReport {
    /// Whether everything was released, by its own holders, and confirmed.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl<B: LockBackend + ?Sized> Locker<B> {
    /// Stops granting, dequeues every waiter, waits for the guards to go, and releases.
    ///
    /// From the call on every acquisition fails with [`Closed`](crate::ErrorKind::Closed), also those that wait. Guards stay good, and
    /// are renewed, until they are dropped or `timeout` is near; then the rest is taken away: their holders see
    /// `lost`, and the leases are released. It ends within `timeout` and one operation's timeout.
    ///
    /// # Cancellation safety
    /// The locker stays closed; call it again to go on.
    pub async fn shutdown(&self, timeout: Duration) -> ShutdownReport {
        let core = &self.core;
        core.closing.cancel();
        let deadline = core.runtime().now() + timeout;
        let before = core.reaper.unconfirmed();
        timeout_at(core.runtime().clock(), deadline, self.guards_gone()).await;
        let taken_away = self.take_away_the_rest();
        let last = deadline.max(core.runtime().now()) + core.config().op_timeout();
        let last = if taken_away.is_empty() { deadline } else { last };
        self.drain(last).await;
        let unconfirmed = core.reaper.pending() as u64 + core.reaper.unconfirmed() - before;
        ShutdownReport {
            taken_away,
            unconfirmed: usize::try_from(unconfirmed).unwrap_or(usize::MAX),
        }
    }

    async fn guards_gone(&self) {
        while let Some(lease) =
            self.core.keeper.leases().into_iter().find(|it| it.ended().is_none())
        {
            ended(&lease).await;
        }
    }

    fn take_away_the_rest(&self) -> Vec<LockKey> {
        let (now, mut taken_away) = (self.core.runtime().now(), Vec::new());
        for lease in self.core.keeper.leases() {
            if lease.end(End::Lost(Loss::Shutdown), now) {
                taken_away.extend_from_slice(lease.keys());
                self.core.give_up(lease.keys(), lease.id());
            }
        }
        taken_away
    }

    async fn drain(&self, deadline: Timestamp) {
        timeout_at(self.core.runtime().clock(), deadline, self.core.reaper.drained()).await;
    }
}

async fn ended(lease: &Arc<Record>) {
    loop {
        let changed = lease.changed().notified();
        if lease.ended().is_some() {
            return;
        }
        changed.await;
    }
}
