//! The backend: the state machine behind the traits.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability, Downgrade,
    DowngradeBackend, Error, ExtendRequest, Extension, KeyPage, KeyState, LeaseId, ListRequest,
    LockBackend, LockKey, Release, Result, RevocationListener, RevocationListeners, Revoked,
    Runtime, Timestamp, TryAcquire, Ttl, VirtualClock, poll_acquire,
};

use crate::{
    keys::Keys,
    list,
    state::{self, Retention},
    waiters::{Wait, Wakers},
};

/// Leases kept in this process: for programs of one process, and for tests.
///
/// Cloning is cheap, and clones are the same backend.
///
/// # Guarantees
/// The sequential specification of [`LockBackend`] with nothing left out, and with an expiry that is exact: at its end a
/// lease is dead. A freed key is handed to the next waiter by the very operation that freed it; a lease that runs
/// out is handed on by the first waiter's own timer. Nothing is spawned. Tokens grow over everything for as
/// long as the backend lives; a new backend starts anew.
///
/// # Not guaranteed
/// [`acquire`](LockBackend::acquire) of *several* keys does not stand in their queues: it tries again with jittered
/// backoff, all or nothing each time, and waiters of the single keys may overtake it (no G6).
///
/// # Cancellation safety
/// A dropped [`acquire`](LockBackend::acquire) leaves its queue before the drop returns; if it had just been granted, it
/// gives the lease back, whatever its minimum hold, and the next waiter is granted. Every other operation is done in one
/// poll. After a drop the id can't be used again.
#[derive(Clone)]
pub struct MemoryBackend(Arc<Shared>);

struct Shared {
    runtime: Runtime,
    keys: Keys,
    listeners: RevocationListeners,
}

impl MemoryBackend {
    /// A backend on tokio's time, which tests can pause.
    #[must_use]
    pub fn new() -> Self {
        Self::with_runtime(Runtime::tokio())
    }

    /// A backend on the time and the randomness of this runtime. It never spawns, so any executor will do.
    #[must_use]
    pub fn with_runtime(runtime: Runtime) -> Self {
        Self::with_retention(runtime, Retention::default())
    }

    /// A backend that remembers given-up ids for this long.
    #[must_use]
    pub fn with_retention(runtime: Runtime, retention: Retention) -> Self {
        let keys = Keys::new(retention);
        Self(Arc::new(Shared { runtime, keys, listeners: RevocationListeners::default() }))
    }

    /// A backend on a clock turned by hand, and that clock. Two runs with one seed are the same.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{AcquireRequest, LockBackend, LockKey, Ttl};
    /// use leasehold_memory::MemoryBackend;
    ///
    /// # futures::executor::block_on(async {
    /// let (backend, clock) = MemoryBackend::manual(7);
    /// let key = LockKey::new("job")?;
    /// let ttl = Ttl::new(Duration::from_secs(30))?;
    /// let request = AcquireRequest::new(key.clone(), backend.runtime().lease_id(), ttl);
    ///
    /// backend.try_acquire(&request).await?;
    /// assert!(backend.inspect(&key).await?.is_locked());
    /// clock.advance(ttl.get()).await;
    /// assert!(!backend.inspect(&key).await?.is_locked());
    /// # Ok::<(), leasehold::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn manual(seed: u64) -> (Self, VirtualClock) {
        let (runtime, clock) = Runtime::manual(seed);
        (Self::with_runtime(runtime), clock)
    }

    /// Another backend in the state of this one: the same leases, tokens and given-up ids, and nobody who waits. What
    /// happens to one afterwards does not touch the other.
    ///
    /// For tests of what happens when a replica takes over that has not seen the last writes.
    #[must_use]
    pub fn copy(&self) -> Self {
        let Shared { runtime, keys, .. } = &*self.0;
        let listeners = RevocationListeners::default();
        Self(Arc::new(Shared { runtime: runtime.clone(), keys: keys.copy(), listeners }))
    }

    /// How many keys it keeps: held, waited for, or used not long ago. For tests and gauges.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.0.keys.len()
    }
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackend")
            .field("runtime", &self.0.runtime)
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LockBackend for MemoryBackend {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        let Shared { runtime, keys, .. } = &*self.0;
        let outcome = if request.keys().len() > 1 {
            keys.with_all(runtime.clock(), request.keys(), |states, now| {
                state::try_acquire_all(now, request, states)
            })
        } else {
            keys.with(runtime.clock(), request.key(), |entry, now| {
                let (outcome, granted) = entry.state.try_acquire(now, request);
                (outcome, entry.wakers(&granted))
            })
        };
        outcome.map_err(|refusal| {
            let error = Error::from(refusal).with_operation("try_acquire");
            error.with_key(request.key())
        })
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        if request.keys().len() > 1 {
            return poll_acquire(self, request, deadline).await;
        }
        let Shared { runtime, keys, .. } = &*self.0;
        Wait::new(keys, runtime.clock(), request, deadline).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        let Shared { runtime, keys, .. } = &*self.0;
        let known = keys.with_known(runtime.clock(), key, |entry, now| {
            let (outcome, granted) = entry.state.extend(now, id, ttl);
            (outcome, entry.wakers(&granted))
        });
        Ok(known.unwrap_or(Extension::Lost))
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        let Shared { runtime, keys, .. } = &*self.0;
        Ok(keys.with(runtime.clock(), key, |entry, now| {
            let (outcome, granted) = entry.state.release(now, id);
            (outcome, entry.wakers_and(id, &granted))
        }))
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let Shared { runtime, keys, .. } = &*self.0;
        let known = keys.with_known(runtime.clock(), key, |entry, now| {
            (entry.state.inspect(now), Wakers::default())
        });
        Ok(known.unwrap_or_default())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(std::time::Duration::ZERO).with_all(Capability::ALL)
    }

    fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        Some(self)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        Some(self)
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        Some(self)
    }
}

#[async_trait]
impl BatchBackend for MemoryBackend {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let mut outcomes = Vec::with_capacity(leases.len());
        for lease in leases {
            outcomes.push(self.extend(&lease.key, lease.id, lease.ttl).await);
        }
        outcomes
    }
}

#[async_trait]
impl AdminBackend for MemoryBackend {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        let Shared { runtime, keys, .. } = &*self.0;
        let known = keys.with_known(runtime.clock(), key, |entry, now| {
            let (revoked, granted) = entry.state.revoke(now);
            (revoked, entry.wakers(&granted))
        });
        let revoked = known.unwrap_or_default();
        for id in &revoked {
            self.0.listeners.tell(*id);
        }
        Ok(Revoked { leases: revoked.len() })
    }

    /// In the order of the keys, each once; a page has as many as asked for unless it is the last.
    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        let Shared { runtime, keys, .. } = &*self.0;
        Ok(list::list(keys, runtime.clock(), request))
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        self.0.listeners.add(listener);
    }
}

#[async_trait]
impl DowngradeBackend for MemoryBackend {
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        let Shared { runtime, keys, .. } = &*self.0;
        let known = keys.with_known(runtime.clock(), key, |entry, now| {
            let (outcome, granted) = entry.state.downgrade(now, id);
            (outcome, entry.wakers(&granted))
        });
        known
            .unwrap_or(Ok(Downgrade::Lost))
            .map_err(|refusal| Error::from(refusal).with_operation("downgrade").with_key(key))
    }
}
