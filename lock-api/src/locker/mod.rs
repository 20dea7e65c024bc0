//! The façade: what users take locks with.

mod acquiring;
mod admin;
mod core;
mod guard;
mod lease;
mod request;
mod seen_tokens;
mod shutdown;
mod with;

use std::{fmt, sync::Arc};

pub use guard::Guard;
pub use lease::Lease;
pub use request::LockRequest;
pub use shutdown::ShutdownReport;
pub(crate) use with::{lease_lost, until_lost};

use self::core::Core;
use crate::{Capabilities, Config, IntoLockKey, LockBackend, Result, Runtime};

/// Takes locks on a backend.
///
/// Cloning is cheap and clones are the same locker: one keep-alive, one reaper, one shutdown. A `Locker`
/// without a parameter holds any backend; [`Locker::typed`] keeps the type and spares the virtual call.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// use std::time::Duration;
/// use leasehold::Locker;
/// use leasehold_memory::MemoryBackend;
///
/// let locker = Locker::new(MemoryBackend::new());
///
/// let guard = locker.acquire("payment:order-123").await?;
/// assert!(guard.is_valid());
/// assert!(locker.try_acquire("payment:order-123").await?.is_none());
/// guard.release().await?;
///
/// let report = locker
///     .lock("report:daily")
///     .ttl(Duration::from_secs(20))
///     .wait(Duration::from_secs(5))
///     .label("worker-7")
///     .await?;
/// # drop(report);
/// # Ok(()) }
/// ```
///
/// # Cancellation safety
/// Every future of a locker may be dropped at any await. An acquisition that is dropped leaves nothing behind: what
/// it sent is taken back in the background.
///
/// # Dropping
/// The last clone may be dropped while guards live; they keep working.
pub struct Locker<B: LockBackend + ?Sized = dyn LockBackend> {
    core: Arc<Core<B>>,
}

impl Locker {
    /// A locker over any backend, with the default [`Config`].
    #[must_use]
    pub fn new(backend: impl LockBackend) -> Self {
        Self::with_config(backend, Config::default())
    }

    /// A locker over any backend.
    #[must_use]
    pub fn with_config(backend: impl LockBackend, config: Config) -> Self {
        Self::from_arc(Arc::new(backend), config)
    }
}

impl<B: LockBackend> Locker<B> {
    /// A locker that keeps the backend's type.
    #[must_use]
    pub fn typed(backend: B) -> Self {
        Self::from_arc(Arc::new(backend), Config::default())
    }
}

impl<B: LockBackend + ?Sized> Locker<B> {
    /// A locker over a shared backend.
    #[must_use]
    pub fn from_arc(backend: Arc<B>, config: Config) -> Self {
        Self { core: Arc::new(Core::new(backend, config)) }
    }

    /// Starts a request for `key`; await it for a [`Guard`]. A bad key is reported when it is sent.
    #[must_use = "a request does nothing until it is awaited"]
    pub fn lock(&self, key: impl IntoLockKey) -> LockRequest<B> {
        self.request(key.into_lock_key())
    }

    /// Starts a request for whatever the kinds lock.
    pub(crate) fn request<T>(&self, target: Result<T>) -> LockRequest<B, T> {
        LockRequest::new(Arc::clone(&self.core), target)
    }

    /// Waits for `key` with the defaults.
    ///
    /// # Errors
    /// [`Timeout`](crate::ErrorKind::Timeout) if it was held for all of the wait; else as [`LockRequest::acquire`].
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire(&self, key: impl IntoLockKey) -> Result<Guard<B>> {
        let request = self.lock(key);
        request.acquire().await
    }

    /// Tries `key` once with the defaults: `None` if it is held.
    ///
    /// # Errors
    /// As [`LockRequest::try_acquire`].
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn try_acquire(&self, key: impl IntoLockKey) -> Result<Option<Guard<B>>> {
        let request = self.lock(key);
        request.try_acquire().await
    }

    /// Runs `body` under `key` with the defaults; see [`LockRequest::with`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// let token = locker.with("payment:order-123", async |lease| lease.token()).await?;
    /// assert!(token.get() > 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`LockRequest::with`].
    ///
    /// # Cancellation safety
    /// The body is dropped and the lease released in the background.
    pub async fn with<T, F, Fut>(&self, key: impl IntoLockKey, body: F) -> Result<T>
    where
        F: FnOnce(Lease<B>) -> Fut,
        Fut: Future<Output = T>,
    {
        let request = self.lock(key);
        request.with(body).await
    }

    /// What the backend can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.core.backend().capabilities()
    }

    /// The defaults and bounds.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.core.config()
    }

    /// The clock, randomness and tasks, which are the backend's.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        self.core.runtime()
    }
}

impl<B: LockBackend + ?Sized> Clone for Locker<B> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for Locker<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locker").field("backend", &self.core.backend()).finish_non_exhaustive()
    }
}
