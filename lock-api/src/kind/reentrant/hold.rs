//! What a scope holds.

use std::{fmt, ops::Deref, sync::Arc};

use super::place::{Occupant, Seat};
use crate::{
    Effect, Error, ErrorKind, Extension, Guard, Lease, LockBackend, LockRequest, Mode, Release,
    Result,
};

/// A lease of a scope, shared by its guards.
pub(super) struct Hold<B: LockBackend + ?Sized> {
    // Dropped in this order: the place stays until the lease is given up.
    guard: Guard<B>,
    seat: Seat<B>,
    share: (Mode, u32),
}

impl<B: LockBackend + ?Sized> Hold<B> {
    /// Whoever takes the key in the scope finds it from now on.
    pub(super) fn new(guard: Guard<B>, seat: Seat<B>, share: (Mode, u32)) -> Arc<Self> {
        let hold = Arc::new(Self { guard, seat, share });
        hold.seat.occupy(Occupant::One(Arc::downgrade(&hold)));
        hold
    }

    /// Makes sure that the lease does what `request` asks for.
    pub(super) async fn covers(&self, request: &LockRequest<B>) -> Result<()> {
        let (mode, permits) = request.share();
        if self.share.0 != Mode::Exclusive && self.share != (mode, permits) {
            let (held, permits) = self.share;
            let bound = format!("{held:?} of {permits}, as this scope holds the key");
            let error = Error::invalid("mode", format_args!("{mode:?} of {permits}"), bound);
            return Err(self.said(error));
        }
        if let Some(loss) = self.guard.loss() {
            return Err(self.lost(&loss));
        }
        if self.guard.is_kept_alive() {
            return Ok(());
        }
        match self.guard.extend(request.lasts()).await? {
            Extension::Extended => Ok(()),
            Extension::Lost => Err(self.lost(&"it could not be extended")),
        }
    }

    fn lost(&self, loss: &dyn fmt::Display) -> Error {
        let message = format!("the lease that this scope holds is lost: {loss}");
        self.said(Error::new(ErrorKind::LeaseLost, Effect::None, message))
    }

    fn said(&self, error: Error) -> Error {
        error.with_operation("acquire").with_key(self.guard.key())
    }
}

/// One of the guards onto a lease that a [`ReentrantScope`](super::ReentrantScope) holds. The last to be dropped releases
/// the lease in the background.
///
/// It derefs to the [`Lease`].
#[must_use = "a dropped guard lets go of its lease"]
pub struct ReentrantGuard<B: LockBackend + ?Sized = dyn LockBackend>(Arc<Hold<B>>);

impl<B: LockBackend + ?Sized> ReentrantGuard<B> {
    pub(super) const fn new(hold: Arc<Hold<B>>) -> Self {
        Self(hold)
    }

    /// The view to hand to the code that works under the lease.
    #[must_use]
    pub fn lease(&self) -> &Lease<B> {
        self.0.guard.lease()
    }

    /// How many guards onto this lease there are, this one included.
    #[must_use]
    pub fn depth(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Lets go; the last guard releases the lease and waits for the answer. `None` if others still hold it.
    ///
    /// # Errors
    /// As [`Guard::release`].
    ///
    /// # Cancellation safety
    /// The release goes on in the background.
    pub async fn release(self) -> Result<Option<Release>> {
        match Arc::into_inner(self.0) {
            Some(Hold { guard, seat: _stays, .. }) => guard.release().await.map(Some),
            None => Ok(None),
        }
    }
}

impl<B: LockBackend + ?Sized> Deref for ReentrantGuard<B> {
    type Target = Lease<B>;

    fn deref(&self) -> &Lease<B> {
        self.lease()
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for ReentrantGuard<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReentrantGuard").field(self.lease()).finish()
    }
}
