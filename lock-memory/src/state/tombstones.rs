//! The ids that are never granted again.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, DefaultHasher},
    time::Duration,
};

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
    retention: Retention,
    /// Most keys that are held were never released: no room for them.
    ids: Option<Box<Ids>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ids {
    by_age: VecDeque<(Timestamp, LeaseId)>,
    /// Only looked up, never iterated; its hasher has no random part.
    until: HashMap<LeaseId, Timestamp, BuildHasherDefault<DefaultHasher>>,
}

impl Tombstones {
    pub(super) fn new(retention: Retention) -> Self {
        Self { retention, ids: None }
    }

    /// Whether the id was given up not long ago.
    pub(super) fn contain(&self, now: Timestamp, id: LeaseId) -> bool {
        self.ids.as_ref().and_then(|ids| ids.until.get(&id)).is_some_and(|until| now < *until)
    }

    /// Remembers the id from now on.
    pub(super) fn bury(&mut self, now: Timestamp, id: LeaseId) {
        let until = now + self.retention.time;
        let ids = self.ids.get_or_insert_default();
        ids.forget_past(now);
        if self.retention.ids == 0 || ids.until.get(&id) == Some(&until) {
            return;
        }
        while ids.by_age.len() >= self.retention.ids {
            ids.forget_oldest();
        }
        ids.by_age.push_back((until, id));
        ids.until.insert(id, until);
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
            && self.until.get(&id) == Some(&until)
        {
            self.until.remove(&id);
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
