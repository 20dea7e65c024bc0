//! Runs a body under a lock.

use std::{future::Future, pin::pin};

use futures::future::{Either, select};

use super::{Guard, Lease, LockRequest};
use crate::{Effect, Error, ErrorKind, LockBackend, LockKey, Loss, Result};

impl<B: LockBackend + ?Sized> LockRequest<B> {
    /// Waits for the lock, runs `body` under it, releases it, and returns what the body returned.
    ///
    /// If the lease is lost while the body runs, the body is dropped at its next await and the loss is returned. A body
    /// that got to its end is never overruled: its output, an error of its own included, is what you get, also
    /// when the release fails afterwards. The body never runs without the lock.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # use std::time::Duration;
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// // A time limit and a piece of work: there is no unlock to forget.
    /// let sent = locker.lock("report").ttl(Duration::from_secs(20)).with(async |_lease| 3).await?;
    /// assert_eq!(sent, 3);
    /// assert!(!locker.is_locked("report").await?);
    ///
    /// let lost = locker
    ///     .lock("slow:job")
    ///     .ttl(Duration::from_millis(50))
    ///     .with(async |_lease| std::future::pending::<()>().await)
    ///     .await;
    /// assert!(lost.unwrap_err().is_lease_lost());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`acquire`](Self::acquire); [`LeaseLost`](ErrorKind::LeaseLost) if the body was stopped.
    ///
    /// # Cancellation safety
    /// The body is dropped and the lease released in the background.
    pub async fn with<T, F, Fut>(self, body: F) -> Result<T>
    where
        F: FnOnce(Lease<B>) -> Fut,
        Fut: Future<Output = T>,
    {
        self.acquire().await?.run(body).await
    }
}

impl<B: LockBackend + ?Sized> Guard<B> {
    /// Runs `body` under this lease and releases it; see [`LockRequest::with`].
    pub(crate) async fn run<T, F, Fut>(self, body: F) -> Result<T>
    where
        F: FnOnce(Lease<B>) -> Fut,
        Fut: Future<Output = T>,
    {
        let body = body(self.lease().clone());
        match until_lost(self.lost(), body).await {
            Ok(output) => {
                if let Err(error) = self.release().await {
                    tracing::warn!(%error, "release failed after the body had ended");
                }
                Ok(output)
            }
            Err(loss) => Err(lease_lost(self.key(), loss)),
        }
    }
}

/// Runs `body`, which is dropped as soon as `lost` is ready.
pub(crate) async fn until_lost<L, T>(
    lost: impl Future<Output = L> + Unpin,
    body: impl Future<Output = T>,
) -> std::result::Result<T, L> {
    // The loss is looked at first: a holder that wakes up too late must not get another poll.
    match select(lost, pin!(body)).await {
        Either::Left((loss, _stopped)) => Err(loss),
        Either::Right((output, _)) => Ok(output),
    }
}

pub(crate) fn lease_lost(key: &LockKey, loss: Loss) -> Error {
    Error::new(ErrorKind::LeaseLost, Effect::None, format!("the body was stopped: {loss}"))
        .with_operation("with")
        .with_key(key)
}
