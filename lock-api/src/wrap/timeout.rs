//! Bounds how long an operation may take.

use std::{sync::Weak, time::Duration};

use async_trait::async_trait;

use crate::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Downgrade, DowngradeBackend,
    Error, ExtendRequest, Extension, KeyPage, KeyState, LeaseId, ListRequest, LockBackend, LockKey,
    Release, Result, RevocationListener, Revoked, Runtime, Timestamp, TryAcquire, Ttl,
    time::timeout_at,
};

/// Bounds how long each operation of a backend may take. Past it the answer is
/// [`Unavailable`](crate::ErrorKind::Unavailable) with an unknown effect: the backend may still act.
///
/// A [`Locker`](crate::Locker) bounds its own operations; this is for those who use a backend directly, and
/// for layers such as a quorum.
///
/// # Cancellation safety
/// As the inner backend: an operation that timed out was dropped.
#[derive(Clone, Debug)]
pub struct Timeout<B> {
    inner: B,
    timeout: Duration,
}

impl<B: LockBackend> Timeout<B> {
    /// Lets each operation of `inner` take at most `timeout`; a waiting acquire that long past its deadline.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a timeout of zero.
    pub fn new(inner: B, timeout: Duration) -> Result<Self> {
        if timeout.is_zero() {
            return Err(Error::invalid("timeout", "0ns", "above zero"));
        }
        Ok(Self { inner, timeout })
    }

    async fn bound<T>(
        &self,
        operation: &'static str,
        deadline: Timestamp,
        future: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let bounded = timeout_at(self.runtime().clock(), deadline + self.timeout, future);
        bounded.await.unwrap_or_else(|| Err(Error::no_answer(operation, self.timeout)))
    }

    fn now(&self) -> Timestamp {
        self.runtime().now()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: LockBackend> LockBackend for Timeout<B> {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        self.bound("acquire", self.now(), self.inner.try_acquire(request)).await
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        let from = deadline.max(self.now());
        self.bound("acquire", from, self.inner.acquire(request, deadline)).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.bound("extend", self.now(), self.inner.extend(key, id, ttl)).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.bound("release", self.now(), self.inner.release(key, id)).await
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.bound("inspect", self.now(), self.inner.inspect(key)).await
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
impl<B: LockBackend> BatchBackend for Timeout<B> {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let Some(inner) = self.inner.batch() else {
            let error = || Err(Error::unsupported("the inner backend has no batches"));
            return leases.iter().map(|_| error()).collect();
        };
        let extending = async { Ok(inner.extend_many(leases).await) };
        let extended = self.bound("extend", self.now(), extending).await;
        extended.unwrap_or_else(|_silent| {
            leases.iter().map(|_| Err(Error::no_answer("extend", self.timeout))).collect()
        })
    }
}

#[async_trait]
impl<B: LockBackend> AdminBackend for Timeout<B> {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        match self.inner.admin() {
            Some(admin) => self.bound("revoke", self.now(), admin.revoke(key)).await,
            None => Err(Error::unsupported("the inner backend can't revoke")),
        }
    }

    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        match self.inner.admin() {
            Some(admin) => self.bound("list", self.now(), admin.list(request)).await,
            None => Err(Error::unsupported("the inner backend can't list")),
        }
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        if let Some(admin) = self.inner.admin() {
            admin.watch_revocations(listener);
        }
    }
}

#[async_trait]
impl<B: LockBackend> DowngradeBackend for Timeout<B> {
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        match self.inner.downgrader() {
            Some(inner) => self.bound("downgrade", self.now(), inner.downgrade(key, id)).await,
            None => Err(Error::unsupported("the inner backend can't downgrade")),
        }
    }
}
