//! The keys of a scope: who is there, and who is on the way.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::{self, OwnedMutexGuard};

use super::hold::Hold;
use crate::{LockBackend, LockKey};

/// The keys of a scope that somebody uses: held, or being taken.
pub(super) struct Places<B: LockBackend + ?Sized>(Mutex<BTreeMap<LockKey, InUse<B>>>);

struct InUse<B: LockBackend + ?Sized> {
    seats: usize,
    place: Arc<Place<B>>,
}

/// A key of a scope.
struct Place<B: LockBackend + ?Sized> {
    /// Held by whoever takes the key, so that two of the scope who come at once don't wait for each other at the backend.
    door: Arc<sync::Mutex<()>>,
    occupant: Mutex<Occupant<B>>,
}

/// While it lives, nobody else of the scope comes through the door.
pub(super) type Door = OwnedMutexGuard<()>;

/// Who is there, if still anybody is.
pub(super) enum Occupant<B: LockBackend + ?Sized> {
    Nobody,
    /// A lease that can be joined.
    One(Weak<Hold<B>>),
    /// One of several keys, which can't.
    OneOfSeveral(Weak<Vec<Seat<B>>>),
}

/// A use of a place. The last to go takes the place with it.
pub(super) struct Seat<B: LockBackend + ?Sized> {
    places: Arc<Places<B>>,
    pub(super) key: LockKey,
    place: Arc<Place<B>>,
}

impl<B: LockBackend + ?Sized> Places<B> {
    pub(super) fn seat(self: &Arc<Self>, key: &LockKey) -> Seat<B> {
        let mut places = self.places();
        let in_use = places.entry(key.clone()).or_default();
        in_use.seats += 1;
        Seat { places: Arc::clone(self), key: key.clone(), place: Arc::clone(&in_use.place) }
    }

    /// Whether a guard on this key is left.
    pub(super) fn holds(&self, key: &str) -> bool {
        let places = self.places();
        let place = places.iter().find(|(held, _)| held.as_str() == key);
        place.is_some_and(|(_, in_use)| lock(&in_use.place.occupant).is_there())
    }

    pub(super) fn keys(&self) -> Vec<LockKey> {
        self.places().keys().cloned().collect()
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<LockKey, InUse<B>>> {
        lock(&self.0)
    }
}

impl<B: LockBackend + ?Sized> Seat<B> {
    /// Waits until nobody else of the scope takes the key.
    pub(super) async fn come_in(&self) -> Door {
        Arc::clone(&self.place.door).lock_owned().await
    }

    /// As [`come_in`](Self::come_in) without waiting; `None` if somebody takes the key.
    pub(super) fn try_come_in(&self) -> Option<Door> {
        Arc::clone(&self.place.door).try_lock_owned().ok()
    }

    /// The lease to join, if there is one; `Err` if there is one that can't be joined.
    pub(super) fn hold(&self) -> Result<Option<Arc<Hold<B>>>, ()> {
        match &*lock(&self.place.occupant) {
            Occupant::One(hold) => Ok(hold.upgrade()),
            there if there.is_there() => Err(()),
            Occupant::Nobody | Occupant::OneOfSeveral(_) => Ok(None),
        }
    }

    pub(super) fn is_taken(&self) -> bool {
        lock(&self.place.occupant).is_there()
    }

    pub(super) fn occupy(&self, by: Occupant<B>) {
        *lock(&self.place.occupant) = by;
    }
}

impl<B: LockBackend + ?Sized> Occupant<B> {
    fn is_there(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::One(hold) => hold.strong_count() > 0,
            Self::OneOfSeveral(seats) => seats.strong_count() > 0,
        }
    }
}

impl<B: LockBackend + ?Sized> Drop for Seat<B> {
    fn drop(&mut self) {
        let mut places = self.places.places();
        if let Some(in_use) = places.get_mut(&self.key) {
            in_use.seats -= 1;
            if in_use.seats == 0 {
                places.remove(&self.key);
            }
        }
    }
}

impl<B: LockBackend + ?Sized> Default for Places<B> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<B: LockBackend + ?Sized> Default for InUse<B> {
    fn default() -> Self {
        let place = Place { door: Arc::default(), occupant: Mutex::new(Occupant::Nobody) };
        Self { seats: 0, place: Arc::new(place) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
