//! Lease ids whose acquire may still be on its way.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use leasehold::{LeaseId, Runtime, Timestamp};

/// Ids whose acquire was dropped, or went without an answer. Releasing one of them leaves a tombstone, so
/// that a late duplicate of its acquire grants to nobody.
#[derive(Debug)]
pub(crate) struct Suspects {
    until: Mutex<BTreeMap<LeaseId, Timestamp>>,
    count: AtomicUsize,
    runtime: Runtime,
    keep: Duration,
}

impl Suspects {
    pub(crate) fn new(runtime: Runtime, keep: Duration) -> Self {
        Self { until: Mutex::default(), count: AtomicUsize::new(0), runtime, keep }
    }

    /// Suspects `id` if the returned guard is dropped before it is cleared: whatever ends the call early.
    pub(crate) fn watch(&self, id: LeaseId) -> Watched<'_> {
        Watched { suspects: self, id: Some(id) }
    }

    pub(crate) fn contains(&self, id: LeaseId) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.until().contains_key(&id)
    }

    fn insert(&self, id: LeaseId) {
        let now = self.runtime.now();
        let mut until = self.until();
        until.retain(|_, until| *until > now);
        until.insert(id, now + self.keep);
        self.count.store(until.len(), Ordering::Release);
    }

    fn until(&self) -> MutexGuard<'_, BTreeMap<LeaseId, Timestamp>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An acquire in flight.
#[derive(Debug)]
pub(crate) struct Watched<'a> {
    suspects: &'a Suspects,
    id: Option<LeaseId>,
}

impl Watched<'_> {
    /// The server answered: nothing of this call is on its way any more.
    pub(crate) fn clear(mut self) {
        self.id = None;
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.suspects.insert(id);
        }
    }
}
