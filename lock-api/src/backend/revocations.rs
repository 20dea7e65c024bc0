//! Telling holders that an administrator took their leases away.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError, Weak},
};

use crate::LeaseId;

/// Somebody who wants to know at once when leases are revoked; a [`Locker`](crate::Locker) is one.
pub trait RevocationListener: Debug + Send + Sync {
    /// The lease of `id` was revoked. Called for ids the listener may not know; must not block.
    fn revoked(&self, id: LeaseId);
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
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.revoked(id);
        }
    }
}
