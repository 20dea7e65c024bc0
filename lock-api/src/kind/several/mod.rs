//! Several keys, all or nothing.
//!
//! One lease over all of them where the backend can take them in one step; else a lease for each, taken in the
//! canonical order, so that two requests never wait for each other in a circle. [`set`] is what a holder gets,
//! [`one_by_one`] the second way.

mod one_by_one;
mod set;

use futures::future::BoxFuture;

pub use set::{GuardSet, LeaseSet};

use self::one_by_one::{acquire_each, try_each};
use crate::{
    ErrorKind, IntoLockKey, LockBackend, LockKey, LockRequest, Locker, Result,
    locker::{lease_lost, until_lost},
};

impl<B: LockBackend + ?Sized> Locker<B> {
    /// Starts a request for all of `keys` or none; await it for a [`GuardSet`]. A key given twice is one key; at most
    /// [`MAX_KEYS`](crate::AcquireRequest::MAX_KEYS) different ones. A bad key is reported when it is sent.
    ///
    /// Where the backend takes several keys at once, nothing is held before all are; the request waits without a place in a
    /// queue. Elsewhere (also if the keys lie in different slots of a cluster) they are taken one by one in order, what
    /// is held is kept alive while the next is awaited, and everything is released if the rest can't be had.
    pub fn lock_all<K: IntoLockKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> LockRequest<B, Vec<LockKey>> {
        self.request(keys.into_iter().map(IntoLockKey::into_lock_key).collect())
    }

    /// Waits for all of `keys` with the defaults.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// let both = locker.acquire_all(["account:b", "account:a"]).await?;
    /// assert!(locker.try_acquire("account:a").await?.is_none());
    /// for (account, token) in both.tokens() {
    ///     println!("write to {account} with token {token}");
    /// }
    /// both.release().await?;
    /// assert!(locker.try_acquire("account:a").await?.is_some());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Timeout`](ErrorKind::Timeout) if one of them was held for all of the wait; else as
    /// [`LockRequest::acquire`].
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
}

impl<B: LockBackend + ?Sized> LockRequest<B, Vec<LockKey>> {
    /// Waits for all of the keys. Awaiting the request does the same.
    ///
    /// # Errors
    /// [`Timeout`](ErrorKind::Timeout) if one of them was held for all of the wait; [`Invalid`](ErrorKind::Invalid) for a bad
    /// argument, before anything is sent; [`Unsupported`](ErrorKind::Unsupported) for a minimum hold where the
    /// keys must be taken one by one; [`Unavailable`](ErrorKind::Unavailable) if one was lost while the next was awaited;
    /// [`Closed`](ErrorKind::Closed) after a shutdown; or the backend failed.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire(self) -> Result<GuardSet<B>> {
        if self.goes_together() {
            // Boxed, like the other way: a caller's future should not be as large as both.
            match Box::pin(self.clone().acquire_together()).await {
                Err(error) if error.kind() == ErrorKind::Unsupported => {}
                guard => return Ok(GuardSet::new(vec![guard?])),
            }
        }
        Ok(GuardSet::new(Box::pin(acquire_each(self)).await?))
    }

    /// Tries once: `None` if any of them is held, and then none of them is.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), without the timeout.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn try_acquire(self) -> Result<Option<GuardSet<B>>> {
        if self.goes_together() {
            match Box::pin(self.clone().try_together()).await {
                Err(error) if error.kind() == ErrorKind::Unsupported => {}
                guard => return Ok(guard?.map(|guard| GuardSet::new(vec![guard]))),
            }
        }
        Ok(Box::pin(try_each(self)).await?.map(GuardSet::new))
    }

    /// Waits for all of the keys, runs `body` under them, releases them, and returns what the body returned; as
    /// [`LockRequest::with`] for one key: the body is stopped as soon as any of them is lost.
    ///
    /// # Errors
    /// Those of [`acquire`](Self::acquire); [`LeaseLost`](ErrorKind::LeaseLost) if the body was stopped.
    ///
    /// # Cancellation safety
    /// The body is dropped and the leases released in the background.
    pub async fn with<T, F, Fut>(self, body: F) -> Result<T>
    where
        F: FnOnce(LeaseSet<B>) -> Fut,
        Fut: Future<Output = T>,
    {
        let guards = self.acquire().await?;
        let body = body(guards.leases().clone());
        let output =
            until_lost(guards.lost(), body).await.map_err(|(key, loss)| lease_lost(&key, loss))?;
        if let Err(error) = guards.release().await {
            tracing::warn!(%error, "release failed after the body had ended");
        }
        Ok(output)
    }
}

impl<B: LockBackend + ?Sized> IntoFuture for LockRequest<B, Vec<LockKey>> {
    type Output = Result<GuardSet<B>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.acquire())
    }
}
