//! Taking again what one holds already: within a scope, whichever task it is handed to.
//!
//! [`place`] is a key in a scope, [`hold`] what is held there, [`request`] how it gets there.

mod hold;
mod place;
mod request;

use std::{fmt, sync::Arc};

pub use hold::ReentrantGuard;
pub use request::InScope;

use self::place::Places;
use crate::{GuardSet, IntoLockKey, LockBackend, LockKey, LockRequest, Locker, Result};

/// Those who may share a lease: taking a key that this scope holds already gives another guard onto the same lease,
/// which is released when the last of its guards goes.
///
/// A scope is a value, not a thread and not a task: it goes where you hand it, across awaits and into
/// `spawn`, and code that was not given the scope waits like anybody else. Clones are the same scope. A lease that was
/// lost is not taken anew while a guard of it is left: the code that took it first works under the old token.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// # use leasehold::{Locker, ReentrantScope};
/// # let locker = Locker::new(leasehold_memory::MemoryBackend::new());
/// async fn close(scope: &ReentrantScope, account: &str) -> leasehold::Result<()> {
///     let held = scope.acquire(account).await?;
///     pay_out(scope, account).await?; // takes the same key, and does not wait for itself
///     held.release().await?;
///     Ok(())
/// }
///
/// async fn pay_out(scope: &ReentrantScope, account: &str) -> leasehold::Result<()> {
///     let held = scope.acquire(account).await?;
///     assert_eq!(held.depth(), 2);
///     Ok(())
/// }
///
/// close(&locker.reentrant(), "account:7").await?;
/// assert!(!locker.is_locked("account:7").await?);
/// # Ok(()) }
/// ```
///
/// Handed to another task it is the same holder; not handed over, the other task waits:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
/// let scope = locker.reentrant();
/// let held = scope.acquire("report").await?;
///
/// let same = scope.clone();
/// let inner = tokio::spawn(async move { same.acquire("report").await.map(|again| again.token()) });
/// assert_eq!(inner.await.unwrap()?, held.token());
///
/// let other = locker.reentrant();
/// let stranger = tokio::spawn(async move { other.try_acquire("report").await });
/// assert!(stranger.await.unwrap()?.is_none());
/// # Ok(()) }
/// ```
pub struct ReentrantScope<B: LockBackend + ?Sized = dyn LockBackend> {
    locker: Locker<B>,
    places: Arc<Places<B>>,
}

impl<B: LockBackend + ?Sized> Locker<B> {
    /// A new scope, which holds nothing yet. Hand it to the code that may take again what it holds.
    #[must_use]
    pub fn reentrant(&self) -> ReentrantScope<B> {
        ReentrantScope { locker: self.clone(), places: Arc::default() }
    }
}

impl<B: LockBackend + ?Sized> ReentrantScope<B> {
    /// Starts a request for `key` within this scope; await it for a [`ReentrantGuard`].
    ///
    /// If the scope holds the key, the request joins that lease. It makes it last at least its own ttl from now (unless
    /// the lease is kept alive); the label, the minimum hold and the keep-alive stay those of the first. An
    /// exclusive lease covers every mode; a shared one can be joined by the same mode and permits only.
    pub fn lock(&self, key: impl IntoLockKey) -> LockRequest<B, InScope<B>> {
        let key = key.into_lock_key();
        self.locker.request(key.map(|key| InScope::new(self.clone(), key)))
    }

    /// Waits for `key` with the defaults.
    ///
    /// # Errors
    /// As [`LockRequest::acquire`] within a scope.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire(&self, key: impl IntoLockKey) -> Result<ReentrantGuard<B>> {
        let request = self.lock(key);
        request.acquire().await
    }

    /// Tries `key` once with the defaults: `None` if somebody outside of this scope holds it.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), without the timeout.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn try_acquire(&self, key: impl IntoLockKey) -> Result<Option<ReentrantGuard<B>>> {
        let request = self.lock(key);
        request.try_acquire().await
    }

    /// Starts a request for all of `keys` or none, as [`Locker::lock_all`]. If this scope holds one of them already, or is
    /// about to, it says so ([`Invalid`](crate::ErrorKind::Invalid)) where another request would wait for itself. So
    /// does a request for one of the keys while they are held: several keys are not joined.
    pub fn lock_all<K: IntoLockKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> LockRequest<B, InScope<B, Vec<LockKey>>> {
        let keys: Result<_> = keys.into_iter().map(IntoLockKey::into_lock_key).collect();
        self.locker.request(keys.map(|keys| InScope::new(self.clone(), keys)))
    }

    /// Waits for all of `keys` with the defaults.
    ///
    /// # Errors
    /// As [`Locker::acquire_all`]; [`Invalid`](crate::ErrorKind::Invalid) if this scope holds one of them already.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire_all<K: IntoLockKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<GuardSet<B>> {
        let request = self.lock_all(keys);
        request.acquire().await
    }

    /// Whether a guard of this scope's on `key` is left, though its lease may be lost.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.places.holds(key)
    }

    /// The locker that the scope takes its leases with.
    #[must_use]
    pub const fn locker(&self) -> &Locker<B> {
        &self.locker
    }
}

impl<B: LockBackend + ?Sized> Clone for ReentrantScope<B> {
    fn clone(&self) -> Self {
        Self { locker: self.locker.clone(), places: Arc::clone(&self.places) }
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for ReentrantScope<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReentrantScope").field("keys", &self.places.keys()).finish_non_exhaustive()
    }
}
