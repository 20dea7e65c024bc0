//! At most so many at once: a semaphore whose permits are leases.

use std::fmt;

use crate::{Guard, IntoLockKey, Limit, LockBackend, LockKey, LockRequest, Locker, Mode, Result};

/// At most `limit` permits of a key at once, over all processes. Made by [`Locker::semaphore`].
///
/// Each permit is a lease of its own: it is renewed, lost and released by itself, and that of a crashed holder comes back
/// with its ttl. Those who wait are served in order, one who waits for many permits included: nobody behind passes it.
/// Everybody must name the same limit; two that differ are refused
/// ([`LimitMismatch`](crate::ErrorKind::LimitMismatch)) for as long as one of them is in use.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// # use std::time::Duration;
/// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
/// let gpus = locker.semaphore("gpu", 4);
///
/// let one = gpus.acquire().await?;
/// let two = gpus.permits(2).ttl(Duration::from_secs(20)).label("training").keep_alive().await?;
/// assert_eq!(gpus.available().await?, 1);
/// assert!(gpus.permits(2).try_acquire().await?.is_none());
///
/// two.release().await?;
/// assert_eq!(gpus.available().await?, 3);
/// # drop(one);
/// # Ok(()) }
/// ```
pub struct Semaphore<B: LockBackend + ?Sized = dyn LockBackend> {
    locker: Locker<B>,
    key: Result<LockKey>,
    limit: Result<Limit>,
}

impl<B: LockBackend + ?Sized> Locker<B> {
    /// A semaphore of `limit` permits. A bad key or a limit of 0 is reported when it is used.
    #[must_use]
    pub fn semaphore(&self, key: impl IntoLockKey, limit: u32) -> Semaphore<B> {
        let (key, limit) = (key.into_lock_key(), Limit::new(limit));
        Semaphore { locker: self.clone(), key, limit }
    }
}

impl<B: LockBackend + ?Sized> Semaphore<B> {
    /// Starts a request for `permits` at once, as one lease; await it for a [`Guard`]. At least 1, at most the limit.
    pub fn permits(&self, permits: u32) -> LockRequest<B> {
        let key = self.limit.clone().and_then(|_| self.key.clone());
        let limit = self.limit.as_ref().map_or(Limit::UNLIMITED, |limit| *limit);
        self.locker.lock(key).mode(Mode::Shared { limit }).permits(permits)
    }

    /// Waits for a permit with the defaults.
    ///
    /// # Errors
    /// As [`LockRequest::acquire`]; [`LimitMismatch`](crate::ErrorKind::LimitMismatch) while another limit is in use;
    /// [`Invalid`](crate::ErrorKind::Invalid) for a limit of 0.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire(&self) -> Result<Guard<B>> {
        self.permits(1).acquire().await
    }

    /// Waits for `permits` at once, as one lease, with the defaults.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire); [`Invalid`](crate::ErrorKind::Invalid) for none, or more than the limit.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire_many(&self, permits: u32) -> Result<Guard<B>> {
        self.permits(permits).acquire().await
    }

    /// Tries once for a permit with the defaults: `None` if there is none, or somebody waits ahead.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), without the timeout.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn try_acquire(&self) -> Result<Option<Guard<B>>> {
        self.permits(1).try_acquire().await
    }

    /// How many permits nobody holds at this moment. It may change before you read the answer, and those who wait
    /// come first: to use a permit, take it.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a bad key or a limit of 0; else the backend failed.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn available(&self) -> Result<u32> {
        let limit = self.limit.clone()?.get().unwrap_or(u32::MAX);
        let state = self.locker.inspect(self.key.clone()).await?;
        if state.leases.iter().any(|lease| lease.mode.is_exclusive()) {
            return Ok(0);
        }
        let taken =
            state.leases.iter().fold(0, |sum: u32, lease| sum.saturating_add(lease.permits));
        Ok(limit.saturating_sub(taken))
    }
}

impl<B: LockBackend + ?Sized> Clone for Semaphore<B> {
    fn clone(&self) -> Self {
        Self { locker: self.locker.clone(), key: self.key.clone(), limit: self.limit.clone() }
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for Semaphore<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("key", &self.key)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
