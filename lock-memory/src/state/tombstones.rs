//! The ids that are never granted again.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    time::Duration,
};

use foldhash::fast::FixedState;
use leasehold::{LeaseId, Timestamp};

/// How long the ids that were released or given up are remembered, and how many of them on each key.
///
/// A late duplicate of an acquire whose id is remembered is refused; one that comes later than this can make a
/// lease that nobody holds, until its ttl is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long: at least twice the longest time that an operation may be under way.
    pub time: Duration,
    /// How many on one key; beyond it the oldest are forgotten early, so that a busy key stays small.
    pub ids: usize,
}

impl Default for Retention {
    /// 10 seconds, at most 4096 ids on a key.
    fn default() -> Self {
        Self { time: Duration::from_secs(10), ids: 4096 }
    }
}

/// The remembered ids of a key, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tombstones {
    kept: Kept,
    /// Most keys that are held were never released: no room for them.
    ids: Option<Box<Ids>>,
}

/// A [`Retention`] in few bytes: every key has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    nanos: u64,
    ids: u32,
}

impl From<Retention> for Kept {
    /// What is more than fits (five centuries, four thousand million ids) is for ever.
    fn from(retention: Retention) -> Self {
        Self {
            nanos: retention.time.as_nanos().try_into().unwrap_or(u64::MAX),
            ids: retention.ids.try_into().unwrap_or(u32::MAX),
        }
    }
}

impl Default for Kept {
    fn default() -> Self {
        Retention::default().into()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ids {
    by_age: VecDeque<(Timestamp, LeaseId)>,
    /// Only looked up, never iterated. Ids are random: their hash need not be.
    until: HashMap<LeaseId, Timestamp, FixedState>,
}

impl Tombstones {
    pub(super) fn new(retention: Retention) -> Self {
        Self { kept: retention.into(), ids: None }
    }

    /// Whether the id was given up not long ago.
    pub(super) fn contain(&self, now: Timestamp, id: LeaseId) -> bool {
        self.ids.as_ref().and_then(|ids| ids.until.get(&id)).is_some_and(|until| now < *until)
    }

    /// Remembers the id from now on.
    pub(super) fn bury(&mut self, now: Timestamp, id: LeaseId) {
        let until = now + Duration::from_nanos(self.kept.nanos);
        let ids = self.ids.get_or_insert_default();
        ids.forget_past(now);
        if self.kept.ids == 0 {
            return;
        }
        if ids.until.insert(id, until) == Some(until) {
            return;
        }
        ids.by_age.push_back((until, id));
        while ids.by_age.len() > self.kept.ids as usize {
            ids.forget_oldest();
        }
    }

    /// When the last one is forgotten.
    pub(super) fn end(&self) -> Timestamp {
        self.ids
            .as_ref()
            .and_then(|ids| ids.by_age.back())
            .map_or(Timestamp::ORIGIN, |(until, _id)| *until)
    }
}

impl Ids {
    fn forget_past(&mut self, now: Timestamp) {
        while self.by_age.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        // An id that was buried again stands here once more, further back.
        if let Some((until, id)) = self.by_age.pop_front()
            && let Entry::Occupied(remembered) = self.until.entry(id)
            && *remembered.get() == until
        {
            remembered.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_given_up_again_is_remembered_from_then_on() {
        let at = |seconds| Timestamp::ORIGIN + Duration::from_secs(seconds);
        let id = LeaseId::from_bytes([7; 16]);
        let mut tombstones = Tombstones::new(Retention::default());
        tombstones.bury(at(1), id);
        tombstones.bury(at(6), id);
        tombstones.bury(at(12), LeaseId::from_bytes([8; 16]));
        assert!(tombstones.contain(at(15), id), "10 s from the second time");
        assert!(!tombstones.contain(at(16), id));
    }
}
