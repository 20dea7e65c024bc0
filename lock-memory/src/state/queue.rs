//! Those who wait, first come first.

use std::collections::BTreeMap;

use leasehold::{LeaseId, Timestamp};

use super::lease::Claim;

/// Somebody in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    pub(super) claim: Claim,
    pub(super) since: Timestamp,
    /// After this instant it is granted nothing, even if nobody took it out of the queue.
    pub(super) deadline: Timestamp,
}

impl Waiter {
    pub(super) fn is_waiting(&self, now: Timestamp) -> bool {
        now <= self.deadline
    }
}

/// The queue of a key: waiters by their place, and the place of each id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    waiters: BTreeMap<u64, Waiter>,
    places: BTreeMap<LeaseId, u64>,
    next_place: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Those whose deadline has not passed, in order.
    pub(super) fn waiting(&self, now: Timestamp) -> impl Iterator<Item = &Waiter> {
        self.waiters.values().filter(move |waiter| waiter.is_waiting(now))
    }

    /// Whoever is next, late or not.
    pub(super) fn first(&self) -> Option<&Waiter> {
        self.waiters.values().next()
    }

    pub(super) fn pop(&mut self) -> Option<Waiter> {
        let (_place, waiter) = self.waiters.pop_first()?;
        self.places.remove(&waiter.claim.id);
        Some(waiter)
    }

    pub(super) fn find(&self, id: LeaseId) -> Option<&Waiter> {
        self.places.get(&id).and_then(|place| self.waiters.get(place))
    }

    pub(super) fn push(&mut self, waiter: Waiter) {
        self.places.insert(waiter.claim.id, self.next_place);
        self.waiters.insert(self.next_place, waiter);
        self.next_place += 1;
    }

    /// Whether this id stood in the queue.
    pub(super) fn remove(&mut self, id: LeaseId) -> bool {
        self.places.remove(&id).and_then(|place| self.waiters.remove(&place)).is_some()
    }
}
