//! One request, built step by step.

use std::{fmt, future::IntoFuture, sync::Arc, time::Duration};

use futures::future::BoxFuture;

use super::{Guard, core::Core};
use crate::{
    AcquireRequest, Backoff, Capability, LockBackend, LockKey, Mode, Result, Runtime, Timestamp,
    lease::{KeepAlive, Terms},
};

/// A request for a lock: what differs from the [`Config`](crate::Config)'s defaults is said step by step, then it
/// is awaited. Nothing is checked or sent before.
///
/// `T` is what it locks: a key, several keys, or a key within a [`ReentrantScope`](crate::ReentrantScope).
#[must_use = "a request does nothing until it is awaited"]
pub struct LockRequest<B: LockBackend + ?Sized, T = LockKey> {
    pub(super) core: Arc<Core<B>>,
    target: Result<T>,
    ttl: Option<Duration>,
    wait: Option<Duration>,
    mode: Mode,
    permits: u32,
    min_hold: Duration,
    label: Option<String>,
    keep_alive: Option<bool>,
    max_lifetime: Option<Duration>,
    backoff: Option<Backoff>,
}

impl<B: LockBackend + ?Sized, T> LockRequest<B, T> {
    pub(super) const fn new(core: Arc<Core<B>>, target: Result<T>) -> Self {
        Self {
            core,
            target,
            ttl: None,
            wait: None,
            mode: Mode::Exclusive,
            permits: 1,
            min_hold: Duration::ZERO,
            label: None,
            keep_alive: None,
            max_lifetime: None,
            backoff: None,
        }
    }

    /// How long the lease lasts from its grant: above the drift allowance, at most `max_ttl`.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// How long to wait at the most; zero is fail-fast, `Duration::MAX` is for ever.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Fails at once if the key is held.
    pub const fn fail_fast(self) -> Self {
        self.wait(Duration::ZERO)
    }

    /// Waits for as long as it takes.
    pub const fn wait_forever(self) -> Self {
        self.wait(Duration::MAX)
    }

    /// How the lease shares its key; exclusive unless said.
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// How many permits of a shared lease; 1 unless said.
    pub const fn permits(mut self, permits: u32) -> Self {
        self.permits = permits;
        self
    }

    /// Keeps the key taken for at least this long from the grant, also when the holder releases or crashes earlier:
    /// for jobs that must not run twice in a period although clocks differ. At most the ttl.
    pub const fn min_hold(mut self, min_hold: Duration) -> Self {
        self.min_hold = min_hold;
        self
    }

    /// What this holder calls itself, for people to read.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Renews the lease until its guard is gone.
    pub const fn keep_alive(mut self) -> Self {
        self.keep_alive = Some(true);
        self
    }

    /// Does not renew the lease, whatever the configuration says.
    pub const fn without_keep_alive(mut self) -> Self {
        self.keep_alive = Some(false);
        self
    }

    /// Renews the lease no more once it is this old: a bound on how long a stuck holder keeps the key.
    pub const fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = Some(lifetime);
        self
    }

    /// Waits by polling with this policy instead of standing in the backend's queue.
    pub const fn backoff(mut self, policy: Backoff) -> Self {
        self.backoff = Some(policy);
        self
    }

    /// The same request for something else.
    pub(crate) fn aimed_at<U>(self, aim: impl FnOnce(Result<T>) -> Result<U>) -> LockRequest<B, U> {
        LockRequest {
            core: self.core,
            target: aim(self.target),
            ttl: self.ttl,
            wait: self.wait,
            mode: self.mode,
            permits: self.permits,
            min_hold: self.min_hold,
            label: self.label,
            keep_alive: self.keep_alive,
            max_lifetime: self.max_lifetime,
            backoff: self.backoff,
        }
    }

    /// What it is for.
    pub(crate) fn target(&self) -> Result<&T> {
        self.target.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        self.core.runtime()
    }

    /// How the lease will be shared, and what a shared one takes.
    pub(crate) const fn share(&self) -> (Mode, u32) {
        (self.mode, self.permits)
    }

    /// How long it will hold on at the least.
    pub(crate) const fn holds_on(&self) -> Duration {
        self.min_hold
    }

    /// How long the lease will last.
    pub(crate) fn lasts(&self) -> Duration {
        self.ttl.unwrap_or_else(|| self.core.config().ttl().get())
    }

    /// When the wait is over.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.core.runtime().now() + self.wait.unwrap_or_else(|| self.core.config().wait())
    }
}

impl<B: LockBackend + ?Sized> LockRequest<B, Vec<LockKey>> {
    /// Checks everything; nothing is sent.
    fn checked(self) -> Result<Checked<B>> {
        let started = self.core.runtime().now();
        let (ttl, deadline) = (self.lasts(), self.deadline());
        let Self { core, target, .. } = self;
        let config = core.config();
        let keys = target?;
        let ttl = config.checked_ttl(ttl)?;
        let holder = match &self.label {
            Some(label) => config.holder().clone().with_label(label)?,
            None => config.holder().clone(),
        };
        let request = AcquireRequest::for_keys(keys, core.runtime().lease_id(), ttl)?
            .with_mode(self.mode, self.permits)?
            .with_min_hold(self.min_hold)?
            .with_holder(holder);
        let keep_alive = self.keep_alive.unwrap_or_else(|| config.keep_alive());
        let keep_alive = keep_alive.then(|| {
            let interval = config.renew_interval(ttl);
            KeepAlive {
                interval,
                retry: interval / 4,
                timeout: config.renew_timeout(ttl),
                max_lifetime: self.max_lifetime.or_else(|| config.max_lifetime()),
            }
        });
        let terms = Terms {
            ttl,
            drift: config.drift(),
            expiring_before: config.expiring_before(ttl),
            keep_alive,
        };
        let backoff = self.backoff.or_else(|| config.backoff().copied());
        Ok(Checked { request, terms, started, deadline, backoff, core })
    }

    /// Whether it can be tried in one step.
    pub(crate) fn goes_together(&self) -> bool {
        self.core.backend().capabilities().has(Capability::SeveralKeys)
    }

    /// Waits for all keys as one lease.
    pub(crate) async fn acquire_together(self) -> Result<Guard<B>> {
        self.checked()?.acquire().await
    }

    /// Tries all keys as one lease.
    pub(crate) async fn try_together(self) -> Result<Option<Guard<B>>> {
        self.checked()?.try_acquire().await
    }
}

impl<B: LockBackend + ?Sized> LockRequest<B> {
    fn checked(self) -> Result<Checked<B>> {
        self.aimed_at(|key| key.map(|key| vec![key])).checked()
    }

    /// Waits for the lock. Awaiting the request does the same.
    ///
    /// # Errors
    /// [`Timeout`](crate::ErrorKind::Timeout) if it was held for all of the wait, with who held it;
    /// [`Invalid`](crate::ErrorKind::Invalid) for a bad argument, before anything is sent; [`Closed`](crate::ErrorKind::Closed)
    /// after a shutdown; or the backend failed.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire(self) -> Result<Guard<B>> {
        self.checked()?.acquire().await
    }

    /// Tries once: `None` if it is held.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), without the timeout.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn try_acquire(self) -> Result<Option<Guard<B>>> {
        self.checked()?.try_acquire().await
    }
}

/// A request that was checked.
pub(super) struct Checked<B: LockBackend + ?Sized> {
    pub(super) core: Arc<Core<B>>,
    pub(super) request: AcquireRequest,
    pub(super) terms: Terms,
    pub(super) started: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) backoff: Option<Backoff>,
}

impl<B: LockBackend + ?Sized> IntoFuture for LockRequest<B> {
    type Output = Result<Guard<B>>;
    type IntoFuture = BoxFuture<'static, Result<Guard<B>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.acquire())
    }
}

impl<B: LockBackend + ?Sized, T: Clone> Clone for LockRequest<B, T> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            target: self.target.clone(),
            label: self.label.clone(),
            ..*self
        }
    }
}

impl<B: LockBackend + ?Sized, T: fmt::Debug> fmt::Debug for LockRequest<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockRequest").field("target", &self.target).finish_non_exhaustive()
    }
}
