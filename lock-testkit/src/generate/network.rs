//! Slow and lossy connections.

use std::{
    sync::{
        Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Downgrade, DowngradeBackend,
    Effect, Error, ErrorKind, ExtendRequest, Extension, KeyPage, KeyState, LeaseId, ListRequest,
    LockBackend, LockKey, Release, Result, RevocationListener, Revoked, Runtime, Timestamp,
    TryAcquire, Ttl,
};

use super::program::Link;

/// A connection to a backend that delays and loses requests and replies.
///
/// A lost message is noticed at once: the answer is an error with an unknown effect. Nothing of a call
/// is left on its way when the call is dropped or answered.
#[derive(Debug)]
pub struct Network<B> {
    inner: B,
    link: Link,
    /// The state of a SplitMix64 generator.
    draws: AtomicU64,
}

impl<B: LockBackend> Network<B> {
    /// Puts `inner` behind this link. Each client has a stream of delays and losses of its own, so that what
    /// one does moves nothing for the others.
    #[must_use]
    pub const fn new(inner: B, link: Link, client: u64) -> Self {
        let first = link.seed ^ client.wrapping_mul(STEP);
        Self { inner, link, draws: AtomicU64::new(first) }
    }

    /// One message, there or back.
    async fn message(&self) -> Result<()> {
        let lost = self.draw(1_000) < u64::from(self.link.loss);
        let longest = u64::try_from(self.link.delay.as_micros()).unwrap_or(u64::MAX);
        let delay = Duration::from_micros(self.draw(longest.saturating_add(1)));
        self.inner.runtime().sleep(delay).await;
        if lost {
            let message = "the connection was lost";
            return Err(Error::new(ErrorKind::Unavailable, Effect::Unknown, message));
        }
        Ok(())
    }

    /// A number below `bound`.
    fn draw(&self, bound: u64) -> u64 {
        let state = self.draws.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mix(state) % bound.max(1)
    }

    async fn call<T: Send>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        self.message().await?;
        let result = call.await;
        self.message().await?;
        result
    }
}

/// The finalizer of SplitMix64: Steele, Lea and Flood 2014.
pub(crate) const fn mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The golden ratio, as SplitMix64 counts.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: LockBackend> LockBackend for Network<B> {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        self.call(self.inner.try_acquire(request)).await
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        self.call(self.inner.acquire(request, deadline)).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.call(self.inner.extend(key, id, ttl)).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.call(self.inner.release(key, id)).await
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.call(self.inner.inspect(key)).await
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn runtime(&self) -> &Runtime {
        self.inner.runtime()
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        self.inner.batch().map(|_| self as &dyn BatchBackend)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        self.inner.admin().map(|_| self as &dyn AdminBackend)
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        self.inner.downgrader().map(|_| self as &dyn DowngradeBackend)
    }
}

#[async_trait]
impl<B: LockBackend> BatchBackend for Network<B> {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let extending = async {
            match self.inner.batch() {
                Some(inner) => Ok(inner.extend_many(leases).await),
                None => Err(Error::unsupported("the backend behind the link has no batches")),
            }
        };
        let lost = |error: Error| {
            let again = |_| Err(Error::new(error.kind(), error.effect(), error.to_string()));
            leases.iter().map(again).collect()
        };
        self.call(extending).await.unwrap_or_else(lost)
    }
}

#[async_trait]
impl<B: LockBackend> AdminBackend for Network<B> {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        match self.inner.admin() {
            Some(admin) => self.call(admin.revoke(key)).await,
            None => Err(Error::unsupported("the backend behind the link can't revoke")),
        }
    }

    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        match self.inner.admin() {
            Some(admin) => self.call(admin.list(request)).await,
            None => Err(Error::unsupported("the backend behind the link can't list")),
        }
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        if let Some(admin) = self.inner.admin() {
            admin.watch_revocations(listener);
        }
    }
}

#[async_trait]
impl<B: LockBackend> DowngradeBackend for Network<B> {
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        match self.inner.downgrader() {
            Some(inner) => self.call(inner.downgrade(key, id)).await,
            None => Err(Error::unsupported("the backend behind the link can't downgrade")),
        }
    }
}
