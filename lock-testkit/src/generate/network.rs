//! Slow and lossy connections.

use std::time::Duration;

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Effect, Error, ErrorKind,
    ExtendRequest, Extension, KeyState, LeaseId, LockBackend, LockKey, Release, Result,
    RevocationListener, Revoked, Runtime, Timestamp, TryAcquire, Ttl, runtime::Entropy,
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
}

impl<B: LockBackend> Network<B> {
    /// Puts `inner` behind this link. Delays and losses are drawn from the backend's own randomness.
    #[must_use]
    pub const fn new(inner: B, link: Link) -> Self {
        Self { inner, link }
    }

    /// One message, there or back.
    async fn message(&self) -> Result<()> {
        let runtime = self.inner.runtime();
        let lost = draw(runtime.entropy(), 1_000) < u64::from(self.link.loss);
        let longest = u64::try_from(self.link.delay.as_micros()).unwrap_or(u64::MAX);
        let delay = Duration::from_micros(draw(runtime.entropy(), longest.saturating_add(1)));
        runtime.sleep(delay).await;
        if lost {
            let message = "the connection was lost";
            return Err(Error::new(ErrorKind::Unavailable, Effect::Unknown, message));
        }
        Ok(())
    }

    async fn call<T: Send>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        self.message().await?;
        let result = call.await;
        self.message().await?;
        result
    }
}

/// A number below `bound`.
fn draw(entropy: &dyn Entropy, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u64::from_le_bytes(bytes) % bound.max(1)
}

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

    fn watch_revocations(&self, listener: std::sync::Weak<dyn RevocationListener>) {
        if let Some(admin) = self.inner.admin() {
            admin.watch_revocations(listener);
        }
    }
}
