//! Seeing who stands in the queue.

use std::{future::poll_fn, pin::pin, task::Poll};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability,
    DowngradeBackend, Extension, KeyState, LeaseId, LockBackend, LockKey, Release, Result, Runtime,
    Timestamp, TryAcquire, Ttl,
};

use super::Recording;

/// Stands directly around a backend of this process and notes in a [`Recording`] when a waiting
/// acquire is certainly in the queue: when the backend's own future has been polled and waits.
///
/// It may stand under anything that delays calls, where the recorder itself can't tell a request that waits
/// from one that is still on its way. A backend that enqueues only after a round trip must not be wrapped in it.
#[derive(Clone, Debug)]
pub struct QueueProbe<B> {
    inner: B,
    recording: Recording,
}

impl<B: LockBackend> QueueProbe<B> {
    /// Notes in `recording` who waits at `inner`.
    #[must_use]
    pub const fn new(inner: B, recording: Recording) -> Self {
        Self { inner, recording }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: LockBackend> LockBackend for QueueProbe<B> {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        self.inner.try_acquire(request).await
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        let in_queue = request.keys().len() == 1 && self.capabilities().has(Capability::Queue);
        if !in_queue {
            return self.inner.acquire(request, deadline).await;
        }
        let mut waiting = pin!(self.inner.acquire(request, deadline));
        let mut noted = false;
        poll_fn(|context| {
            let poll = waiting.as_mut().poll(context);
            if poll.is_pending() && !std::mem::replace(&mut noted, true) {
                self.recording.enqueued(request.id());
            }
            match poll {
                Poll::Ready(outcome) => Poll::Ready(outcome),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.inner.extend(key, id, ttl).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.inner.release(key, id).await
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.inner.inspect(key).await
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn runtime(&self) -> &Runtime {
        self.inner.runtime()
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        self.inner.batch()
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        self.inner.admin()
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        self.inner.downgrader()
    }
}
