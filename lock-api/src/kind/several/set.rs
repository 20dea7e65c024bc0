//! What the holder of several keys has.

use std::{any::Any, fmt, ops::Deref, sync::Arc, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all, select_all},
};

use crate::{
    Extension, FencingToken, Guard, Lease, LockBackend, LockKey, Loss, Release, Result, Timestamp,
};

/// Holds several keys; dropping it releases them in the background, without blocking.
///
/// It derefs to the [`LeaseSet`], which has the tokens, the validity and the signals.
#[must_use = "a dropped guard releases its leases"]
pub struct GuardSet<B: LockBackend + ?Sized = dyn LockBackend> {
    // Dropped in this order: what is kept stays until the keys are given up.
    guards: Vec<Guard<B>>,
    leases: LeaseSet<B>,
    kept: Option<Arc<dyn Any + Send + Sync>>,
}

impl<B: LockBackend + ?Sized> GuardSet<B> {
    pub(super) fn new(guards: Vec<Guard<B>>) -> Self {
        let leases = LeaseSet(guards.iter().map(|guard| guard.lease().clone()).collect());
        Self { guards, leases, kept: None }
    }

    /// The same, which keeps `this` until the keys are released.
    pub(crate) fn until_released(mut self, this: Arc<dyn Any + Send + Sync>) -> Self {
        self.kept = Some(this);
        self
    }

    /// The view to hand to the code that works under the leases.
    #[must_use]
    pub const fn leases(&self) -> &LeaseSet<B> {
        &self.leases
    }

    /// Gives all keys up and waits for the answers: [`Release::NotHeld`] if any had been lost before.
    ///
    /// # Errors
    /// The backend failed for a key: with an unknown effect its lease may live on until its ttl. The others are
    /// released all the same.
    ///
    /// # Cancellation safety
    /// The releases go on in the background.
    pub async fn release(self) -> Result<Release> {
        let Self { guards, leases: _, kept: _kept } = self;
        let answers = join_all(guards.into_iter().map(Guard::release)).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
        let all_released = answers.iter().all(|answer| *answer == Release::Released);
        Ok(if all_released { Release::Released } else { Release::NotHeld })
    }
}

impl<B: LockBackend + ?Sized> Deref for GuardSet<B> {
    type Target = LeaseSet<B>;

    fn deref(&self) -> &LeaseSet<B> {
        &self.leases
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for GuardSet<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GuardSet").field(&self.leases).finish()
    }
}

/// The leases of several keys that somebody else holds the [`GuardSet`] of: one over all keys, or one for each.
/// Cloning does not keep them.
pub struct LeaseSet<B: LockBackend + ?Sized = dyn LockBackend>(Vec<Lease<B>>);

impl<B: LockBackend + ?Sized> LeaseSet<B> {
    /// What is locked, in order.
    pub fn keys(&self) -> impl Iterator<Item = &LockKey> {
        self.0.iter().flat_map(Lease::keys)
    }

    /// The lease that holds this key; it may hold others too.
    #[must_use]
    pub fn lease(&self, key: &str) -> Option<&Lease<B>> {
        self.0.iter().find(|lease| lease.keys().iter().any(|held| held.as_str() == key))
    }

    /// Each key with the fencing token for the resource behind it. Keys that were taken in one step share one token.
    pub fn tokens(&self) -> impl Iterator<Item = (&LockKey, FencingToken)> {
        self.0.iter().flat_map(|lease| lease.keys().iter().map(|key| (key, lease.token())))
    }

    /// Until when all of them are certainly held; the clock's origin once one is over.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.0.iter().map(Lease::valid_until).min().unwrap_or(Timestamp::ORIGIN)
    }

    /// How long all of them are still valid without a renewal; zero once one is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.iter().map(Lease::remaining).min().unwrap_or_default()
    }

    /// Whether all of them are certainly still held, by the clock at this call; see [`Lease::is_valid`].
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.0.iter().all(Lease::is_valid)
    }

    /// The first key found lost, and why, if any was.
    #[must_use]
    pub fn loss(&self) -> Option<(LockKey, Loss)> {
        self.0.iter().find_map(|lease| Some((lease.key().clone(), lease.loss()?)))
    }

    /// Ready once the first of them is lost, with a key of that lease; never if they are released. Cancel safe.
    pub fn lost(&self) -> BoxFuture<'static, (LockKey, Loss)> {
        let each = self.0.iter().map(|lease| {
            let key = lease.key().clone();
            lease.lost().map(move |loss| (key, loss))
        });
        select_all(each).map(|(first, _, _)| first).boxed()
    }

    /// Makes all of them last at least `ttl` from now, as [`Lease::extend`] does; [`Extension::Lost`] if any is lost.
    ///
    /// # Errors
    /// As [`Lease::extend`], for the first that failed; the others are asked all the same.
    ///
    /// # Cancellation safety
    /// Some may have been extended.
    pub async fn extend(&self, ttl: Duration) -> Result<Extension> {
        let answers = join_all(self.0.iter().map(|lease| lease.extend(ttl))).await;
        let lost = answers.iter().any(|answer| matches!(answer, Ok(Extension::Lost)));
        if lost {
            return Ok(Extension::Lost);
        }
        answers.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Extension::Extended)
    }
}

impl<B: LockBackend + ?Sized> Clone for LeaseSet<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for LeaseSet<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
