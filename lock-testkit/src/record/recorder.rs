//! A backend that records what it is asked.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Downgrade, DowngradeBackend,
    Error, ExtendRequest, Extension, KeyPage, KeyState, LeaseId, ListRequest, LockBackend, LockKey,
    Release, Result, RevocationListener, Revoked, Runtime, Timestamp, TryAcquire, Ttl,
};

use super::{Recording, pending::Pending, probe::QueueProbe, words, words::Answer as _};
use crate::history::{Call, History};

/// Wraps a backend, forwards everything, and records it. Clones are the same client of the same recording.
///
/// Each operation is recorded when it is called and when it returns; one that is dropped, or answered with an unknown
/// effect, stays open ([`Recording`] says until when). Under a [`Locker`](leasehold::Locker) it
/// records what the façade asks.
///
/// # Cancellation safety
/// As the inner backend; a drop is part of the history.
#[derive(Debug)]
pub struct Recorder<B: ?Sized> {
    recording: Recording,
    client: Arc<str>,
    inner: Arc<B>,
}

impl<B: LockBackend> Recorder<B> {
    /// Records a backend that may still act on a call that was dropped or answered with an unknown effect.
    #[must_use]
    pub fn new(backend: B) -> Self {
        let recording = Recording::new(backend.runtime());
        Self::over(backend, recording, "c0")
    }

    /// Another way to a recorded backend: a second connection, a second process, a wrapper of its own.
    #[must_use]
    pub fn over(backend: B, recording: Recording, client: impl Into<Arc<str>>) -> Self {
        Self { recording, client: client.into(), inner: Arc::new(backend) }
    }
}

impl<B: LockBackend> Recorder<QueueProbe<B>> {
    /// Records a backend that does everything within the call, and in which a polled waiter is in the queue.
    #[must_use]
    pub fn in_process(backend: B) -> Self {
        let recording = Recording::in_process(backend.runtime());
        let probe = QueueProbe::new(backend, recording.clone());
        Self::over(probe, recording, "c0")
    }
}

impl<B: LockBackend + ?Sized> Recorder<B> {
    /// A handle to the same backend whose operations are recorded under this name.
    #[must_use]
    pub fn client(&self, name: impl Into<Arc<str>>) -> Self {
        Self { client: name.into(), ..self.clone() }
    }

    /// What was recorded so far, by all clients.
    #[must_use]
    pub fn history(&self) -> History {
        self.recording.history()
    }

    /// The recording that this writes into.
    #[must_use]
    pub const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The wrapped backend: what is asked of it directly is not recorded.
    #[must_use]
    pub fn unrecorded(&self) -> Arc<B> {
        Arc::clone(&self.inner)
    }

    fn name(&self, id: LeaseId) -> Arc<str> {
        self.recording.name(&self.client, id)
    }

    fn begin(&self, waits_as: Option<LeaseId>, call: Call) -> Pending<'_> {
        let op = self.recording.invoke(&self.client, waits_as, call);
        Pending::new(&self.recording, op, waits_as)
    }

    fn begin_extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Pending<'_> {
        let (lease, key, ttl_ns) = (self.name(id), words::key(key), words::nanos(ttl.get()));
        self.begin(None, Call::Extend { lease, key, ttl_ns })
    }
}

impl<B: ?Sized> Clone for Recorder<B> {
    fn clone(&self) -> Self {
        Self {
            recording: self.recording.clone(),
            client: Arc::clone(&self.client),
            inner: Arc::clone(&self.inner),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: LockBackend + ?Sized> LockBackend for Recorder<B> {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        let asked = words::request(self.name(request.id()), request);
        let pending = self.begin(None, Call::TryAcquire(asked));
        let result = self.inner.try_acquire(request).await;
        pending.answered(result.outcome());
        result
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        let asked = words::request(self.name(request.id()), request);
        let call = Call::Acquire { request: asked, deadline_ns: deadline.as_nanos() };
        let pending = self.begin(Some(request.id()), call);
        let result = self.inner.acquire(request, deadline).await;
        pending.answered(result.outcome());
        result
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        let pending = self.begin_extend(key, id, ttl);
        let result = self.inner.extend(key, id, ttl).await;
        pending.answered(result.outcome());
        result
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        let call = Call::Release { lease: self.name(id), key: words::key(key) };
        let pending = self.begin(None, call);
        let result = self.inner.release(key, id).await;
        pending.answered(result.outcome());
        result
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let pending = self.begin(None, Call::Inspect { key: words::key(key) });
        let result = self.inner.inspect(key).await;
        pending.answered(result.outcome());
        result
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
impl<B: LockBackend + ?Sized> BatchBackend for Recorder<B> {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let Some(inner) = self.inner.batch() else {
            let error = || Err(Error::unsupported("the recorded backend has no batches"));
            return leases.iter().map(|_| error()).collect();
        };
        let begin = |lease: &ExtendRequest| self.begin_extend(&lease.key, lease.id, lease.ttl);
        let pending: Vec<_> = leases.iter().map(begin).collect();
        let results = inner.extend_many(leases).await;
        for (pending, result) in pending.into_iter().zip(&results) {
            pending.answered(result.outcome());
        }
        results
    }
}

#[async_trait]
impl<B: LockBackend + ?Sized> AdminBackend for Recorder<B> {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        let Some(inner) = self.inner.admin() else {
            return Err(Error::unsupported("the recorded backend can't revoke"));
        };
        let pending = self.begin(None, Call::Revoke { key: words::key(key) });
        let result = inner.revoke(key).await;
        pending.answered(result.outcome());
        result
    }

    /// A listing is not part of the history: it says nothing about any one instant.
    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        match self.inner.admin() {
            Some(inner) => inner.list(request).await,
            None => Err(Error::unsupported("the recorded backend can't list")),
        }
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        if let Some(inner) = self.inner.admin() {
            inner.watch_revocations(listener);
        }
    }
}

#[async_trait]
impl<B: LockBackend + ?Sized> DowngradeBackend for Recorder<B> {
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        let Some(inner) = self.inner.downgrader() else {
            return Err(Error::unsupported("the recorded backend can't downgrade"));
        };
        let call = Call::Downgrade { lease: self.name(id), key: words::key(key) };
        let pending = self.begin(None, call);
        let result = inner.downgrade(key, id).await;
        pending.answered(result.outcome());
        result
    }
}
