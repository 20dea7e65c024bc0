//! A backend that can be cut off.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability,
    DowngradeBackend, Effect, Error, ErrorKind, Extension, KeyState, LeaseId, LockBackend, LockKey,
    Release, Result, Runtime, Timestamp, TryAcquire, Ttl, async_trait,
};

/// While `away`, every operation fails as if the server could not be reached.
#[derive(Debug)]
pub(crate) struct Outage {
    pub(crate) inner: Arc<dyn LockBackend>,
    pub(crate) away: Arc<AtomicBool>,
}

impl Outage {
    fn reachable(&self) -> Result<&dyn LockBackend> {
        if self.away.load(Ordering::SeqCst) {
            let (kind, effect) = (ErrorKind::Unavailable, Effect::None);
            return Err(Error::new(kind, effect, "the server could not be reached"));
        }
        Ok(&*self.inner)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LockBackend for Outage {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        self.reachable()?.try_acquire(request).await
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        self.reachable()?.acquire(request, deadline).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.reachable()?.extend(key, id, ttl).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.reachable()?.release(key, id).await
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.reachable()?.inspect(key).await
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities().without(Capability::Downgrade)
    }

    fn runtime(&self) -> &Runtime {
        self.inner.runtime()
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        None
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        None
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        None
    }
}
