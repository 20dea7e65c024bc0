//! What the lock protects.

use std::sync::{Mutex, PoisonError};

use leasehold::FencingToken;

/// A resource that refuses who comes with an older token than somebody before.
#[derive(Debug, Default)]
pub(super) struct Store(Mutex<Option<FencingToken>>);

impl Store {
    /// Writes, and says whether this is a write of a holder who came too late that went through: with `fenced` there is
    /// none, as it is refused.
    pub(super) fn write(&self, token: FencingToken, fenced: bool) -> bool {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = newest.is_some_and(|newest| token < newest);
        *newest = (*newest).max(Some(token));
        stale && !fenced
    }
}
