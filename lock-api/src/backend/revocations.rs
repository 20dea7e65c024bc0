//! Telling holders what ends their leases early: an administrator, or a step of the backend's clock.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError, Weak},
    time::Duration,
};

use crate::{LeaseId, Timestamp};

/// Somebody who wants to know at once when leases end early; a [`Locker`](crate::Locker) is one.
pub trait RevocationListener: Debug + Send + Sync {
    /// The lease of `id` was revoked. Called for ids the listener may not know; must not block.
    fn revoked(&self, id: LeaseId);

    /// The backend's clock stepped forward, by `by` at the most. An answer to what was sent at `seen` showed it: whatever was
    /// granted or extended by an answer to something sent before that ends `by` sooner than it was said to. Must not block.
    fn clock_stepped(&self, by: Duration, seen: Timestamp);
}

/// The listeners of a backend: keep one of these and tell it.
#[derive(Debug, Default)]
pub struct RevocationListeners(Mutex<Vec<Weak<dyn RevocationListener>>>);

impl RevocationListeners {
    /// Tells `listener` from now on, until it is gone.
    pub fn add(&self, listener: Weak<dyn RevocationListener>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(listener);
    }

    /// Tells everybody that the lease of `id` was revoked.
    pub fn tell(&self, id: LeaseId) {
        self.each(|listener| listener.revoked(id));
    }

    /// Tells everybody of a forward step, as [`RevocationListener::clock_stepped`] says it.
    pub fn tell_step(&self, by: Duration, seen: Timestamp) {
        self.each(|listener| listener.clock_stepped(by, seen));
    }

    fn each(&self, tell: impl Fn(&dyn RevocationListener)) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            tell(&*listener);
        }
    }
}
