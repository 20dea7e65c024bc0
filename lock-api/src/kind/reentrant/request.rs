//! How a scope takes a key.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

use super::{
    ReentrantGuard, ReentrantScope,
    hold::Hold,
    place::{Door, Occupant, Seat},
};
use crate::{
    AcquireRequest, Effect, Error, ErrorKind, GuardSet, LockBackend, LockKey, LockRequest, Result,
    time::timeout_at,
};

/// What a request within a [`ReentrantScope`] locks: `T`, a key or several.
pub struct InScope<B: LockBackend + ?Sized, T = LockKey> {
    scope: ReentrantScope<B>,
    target: T,
}

impl<B: LockBackend + ?Sized, T> InScope<B, T> {
    pub(super) const fn new(scope: ReentrantScope<B>, target: T) -> Self {
        Self { scope, target }
    }
}

impl<B: LockBackend + ?Sized> LockRequest<B, InScope<B>> {
    /// Waits for the key, or joins the lease that the scope holds. Awaiting the request does the same.
    ///
    /// # Errors
    /// [`Timeout`](ErrorKind::Timeout) if somebody outside of the scope held it for all of the wait;
    /// [`LeaseLost`](ErrorKind::LeaseLost) if the lease that the scope holds is over;
    /// [`Invalid`](ErrorKind::Invalid) for a mode that this lease does not cover (a reader can't become a writer: it would wait
    /// for itself), and for a key that the scope holds as one of several; else as for a single key.
    ///
    /// # Cancellation safety
    /// Nothing stays behind; a lease that was joined may have been extended.
    pub async fn acquire(self) -> Result<ReentrantGuard<B>> {
        let deadline = self.deadline();
        let runtime = self.runtime().clone();
        let (seat, request) = self.seated()?;
        let Some(_door) = timeout_at(runtime.clock(), deadline, seat.come_in()).await else {
            return Err(busy(&seat.key));
        };
        if let Some(joined) = join(&seat, &request).await? {
            return Ok(joined);
        }
        let share = request.share();
        let guard = request.wait(deadline.since(runtime.now())).acquire().await?;
        Ok(ReentrantGuard::new(Hold::new(guard, seat, share)))
    }

    /// Tries once: `None` if somebody outside of the scope holds it, or another task of the scope waits for it.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), without the timeout.
    ///
    /// # Cancellation safety
    /// As [`acquire`](Self::acquire).
    pub async fn try_acquire(self) -> Result<Option<ReentrantGuard<B>>> {
        let (seat, request) = self.seated()?;
        let Some(_door) = seat.try_come_in() else {
            return Ok(None);
        };
        if let Some(joined) = join(&seat, &request).await? {
            return Ok(Some(joined));
        }
        let share = request.share();
        let guard = request.try_acquire().await?;
        Ok(guard.map(|guard| ReentrantGuard::new(Hold::new(guard, seat, share))))
    }

    fn seated(self) -> Result<(Seat<B>, LockRequest<B>)> {
        let InScope { scope, target } = self.target()?;
        let (seat, key) = (scope.places.seat(target), target.clone());
        Ok((seat, self.aimed_at(|_| Ok(key))))
    }
}

/// The lease that the scope holds, if it holds one and the request may join it.
async fn join<B: LockBackend + ?Sized>(
    seat: &Seat<B>,
    request: &LockRequest<B>,
) -> Result<Option<ReentrantGuard<B>>> {
    let Some(hold) = seat.hold().map_err(|()| nested(&seat.key))? else {
        return Ok(None);
    };
    hold.covers(request).await?;
    Ok(Some(ReentrantGuard::new(hold)))
}

impl<B: LockBackend + ?Sized> LockRequest<B, InScope<B, Vec<LockKey>>> {
    /// Waits for all of the keys. Awaiting the request does the same.
    ///
    /// # Errors
    /// As without a scope; [`Invalid`](ErrorKind::Invalid) if the scope holds one of the keys, or is about to.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn acquire(self) -> Result<GuardSet<B>> {
        let (seats, request) = self.seated()?;
        let _doors = come_in_everywhere(&seats)?;
        let guards = request.acquire().await?;
        Ok(occupy_all(seats, guards))
    }

    /// Tries once: `None` if any of them is held by somebody outside of the scope, and then none of them is.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), without the timeout.
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn try_acquire(self) -> Result<Option<GuardSet<B>>> {
        let (seats, request) = self.seated()?;
        let _doors = come_in_everywhere(&seats)?;
        let guards = request.try_acquire().await?;
        Ok(guards.map(|guards| occupy_all(seats, guards)))
    }

    fn seated(self) -> Result<AllSeated<B>> {
        let InScope { scope, target } = self.target()?;
        let keys = AcquireRequest::in_order(target.clone())?;
        let seats = keys.iter().map(|key| scope.places.seat(key)).collect();
        Ok((seats, self.aimed_at(|_| Ok(keys))))
    }
}

type AllSeated<B> = (Vec<Seat<B>>, LockRequest<B, Vec<LockKey>>);

/// All places at once, each of which must be empty.
fn come_in_everywhere<B: LockBackend + ?Sized>(seats: &[Seat<B>]) -> Result<Vec<Door>> {
    let each = seats.iter().map(|seat| {
        let door = seat.try_come_in().filter(|_| !seat.is_taken());
        door.ok_or_else(|| nested(&seat.key))
    });
    each.collect()
}

fn occupy_all<B: LockBackend + ?Sized>(seats: Vec<Seat<B>>, guards: GuardSet<B>) -> GuardSet<B> {
    let seats = Arc::new(seats);
    for seat in &*seats {
        seat.occupy(Occupant::OneOfSeveral(Arc::downgrade(&seats)));
    }
    guards.until_released(seats)
}

fn nested(key: &LockKey) -> Error {
    let bound = "free in this scope: one of several keys can't be joined";
    Error::invalid("key", key, bound).with_operation("acquire").with_key(key)
}

fn busy(key: &LockKey) -> Error {
    let message = "the key stayed held, and another task of this scope waited for it all the while";
    Error::new(ErrorKind::Timeout, Effect::None, message).with_operation("acquire").with_key(key)
}

impl<B: LockBackend + ?Sized> IntoFuture for LockRequest<B, InScope<B>> {
    type Output = Result<ReentrantGuard<B>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.acquire())
    }
}

impl<B: LockBackend + ?Sized> IntoFuture for LockRequest<B, InScope<B, Vec<LockKey>>> {
    type Output = Result<GuardSet<B>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.acquire())
    }
}

impl<B: LockBackend + ?Sized, T: Clone> Clone for InScope<B, T> {
    fn clone(&self) -> Self {
        Self { scope: self.scope.clone(), target: self.target.clone() }
    }
}

impl<B: LockBackend + ?Sized, T: fmt::Debug> fmt::Debug for InScope<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InScope").field(&self.target).finish()
    }
}
