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

/// The queue of a key. Most keys never had one: no room for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue(Option<Box<Line>>);

/// Waiters by their place, and the place of each id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    waiters: BTreeMap<u64, Waiter>,
    places: BTreeMap<LeaseId, u64>,
    next_place: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.line().is_none_or(|line| line.waiters.is_empty())
    }

    /// Those whose deadline has not passed, in order.
    pub(super) fn waiting(&self, now: Timestamp) -> impl Iterator<Item = &Waiter> {
        let waiters = self.line().into_iter().flat_map(|line| line.waiters.values());
        waiters.filter(move |waiter| waiter.is_waiting(now))
    }

    /// Whoever is next, late or not.
    pub(super) fn first(&self) -> Option<&Waiter> {
        self.line()?.waiters.values().next()
    }

    pub(super) fn pop(&mut self) -> Option<Waiter> {
        let line = self.0.as_mut()?;
        let (_place, waiter) = line.waiters.pop_first()?;
        line.places.remove(&waiter.claim.id);
        Some(waiter)
    }

    pub(super) fn find(&self, id: LeaseId) -> Option<&Waiter> {
        let line = self.line()?;
        line.places.get(&id).and_then(|place| line.waiters.get(place))
    }

    pub(super) fn push(&mut self, waiter: Waiter) {
        let line = self.0.get_or_insert_default();
        line.places.insert(waiter.claim.id, line.next_place);
        line.waiters.insert(line.next_place, waiter);
        line.next_place += 1;
    }

    /// Whether this id stood in the queue.
    pub(super) fn remove(&mut self, id: LeaseId) -> bool {
        let Some(line) = self.0.as_mut() else {
            return false;
        };
        line.places.remove(&id).and_then(|place| line.waiters.remove(&place)).is_some()
    }

    fn line(&self) -> Option<&Line> {
        self.0.as_deref()
    }
}
