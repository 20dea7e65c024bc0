//! Leading, and who leads.

use std::{fmt, ops::Deref, time::Duration};

use crate::{FencingToken, Guard, Holder, Lease, LeaseInfo, LockBackend, Release, Result};

/// Leads until it is dropped, resigned or lost. Dropping it resigns in the background.
///
/// It derefs to the [`Lease`], which has the validity and the signals: stop when [`lost`](Lease::lost) is ready, no later
/// than any other candidate can lead.
#[must_use = "dropping a leadership resigns it"]
pub struct Leadership<B: LockBackend + ?Sized = dyn LockBackend>(Guard<B>);

impl<B: LockBackend + ?Sized> Leadership<B> {
    pub(super) const fn new(guard: Guard<B>) -> Self {
        Self(guard)
    }

    /// The term: a number greater than that of every leader before. Resources that are shown it can refuse the past.
    #[must_use]
    pub fn term(&self) -> FencingToken {
        self.0.token()
    }

    /// Whether it certainly still leads, by the clock at this call; see [`Lease::is_valid`].
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0.is_valid()
    }

    /// The view to hand to the code that works while this candidate leads.
    #[must_use]
    pub const fn lease(&self) -> &Lease<B> {
        self.0.lease()
    }

    /// Makes room for the next and waits for the answer: [`Release::NotHeld`] if the leadership had been lost before.
    ///
    /// # Errors
    /// As [`Guard::release`].
    ///
    /// # Cancellation safety
    /// It goes on in the background.
    pub async fn resign(self) -> Result<Release> {
        self.0.release().await
    }
}

impl<B: LockBackend + ?Sized> Deref for Leadership<B> {
    type Target = Lease<B>;

    fn deref(&self) -> &Lease<B> {
        self.lease()
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for Leadership<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Leadership").field(self.lease()).finish()
    }
}

/// Who leads, as anyone may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    /// Who says to lead.
    pub holder: Holder,
    /// Its term.
    pub term: FencingToken,
    /// How long it has led.
    pub since: Duration,
    /// How long it leads from this reading unless it renews.
    pub remaining: Duration,
}

impl Leader {
    pub(super) fn of(lease: LeaseInfo) -> Option<Self> {
        let leads = lease.mode.is_exclusive() && !lease.released;
        leads.then_some(Self {
            holder: lease.holder,
            term: lease.token,
            since: lease.age,
            remaining: lease.remaining,
        })
    }
}
