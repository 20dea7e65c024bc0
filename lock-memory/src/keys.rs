//! The map of keys: finding them, locking them, forgetting them.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use dashmap::DashMap;
use foldhash::fast::RandomState;
use leasehold::{Clock, LockKey, Timestamp};

use crate::{
    state::{Retention, State},
    waiters::{Seats, Wakers},
};

/// One key of the backend: its state, and the tasks that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) state: State,
    pub(crate) seats: Seats,
    /// It was taken out of the map: whoever still finds it must look again.
    forgotten: bool,
}

/// Every key that is held, waited for, or not yet safe to forget.
///
/// Each key has a lock of its own, so that several can be locked at once in their order; nothing touches the map while
/// it holds one, and what forgets keys, with the map's shard locked, only tries: no two keys of a shard can block each
/// other.
#[derive(Debug)]
pub(crate) struct Keys {
    map: DashMap<LockKey, Arc<Mutex<Entry>>, RandomState>,
    /// Each key in the map once, by the instant at which to see whether it can be forgotten.
    reviews: Mutex<BinaryHeap<Reverse<(Timestamp, LockKey)>>>,
    retention: Retention,
    next_seat: AtomicU64,
}

/// How many keys are reviewed for each new one: more than one, so that the map shrinks again.
const REVIEWS_PER_NEW_KEY: usize = 2;

impl Keys {
    pub(crate) fn new(retention: Retention) -> Self {
        Self {
            map: DashMap::default(),
            reviews: Mutex::default(),
            retention,
            next_seat: AtomicU64::new(0),
        }
    }

    /// The same keys once more, without anybody who waits.
    pub(crate) fn copy(&self) -> Self {
        let entry = |shared: &Mutex<Entry>| {
            let state = locked(shared).state.without_waiters();
            Arc::new(Mutex::new(Entry { state, ..Entry::default() }))
        };
        let keys = self.map.iter();
        Self {
            map: keys.map(|pair| (pair.key().clone(), entry(pair.value()))).collect(),
            reviews: Mutex::new(locked(&self.reviews).clone()),
            retention: self.retention,
            next_seat: AtomicU64::new(0),
        }
    }

    /// A number for a waiting task that no other has.
    pub(crate) fn seat_number(&self) -> u64 {
        self.next_seat.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// The keys whose name is wanted, in no order.
    pub(crate) fn names(&self, wanted: impl Fn(&str) -> bool) -> Vec<LockKey> {
        let all = self.map.iter();
        all.map(|entry| entry.key().clone()).filter(|key| wanted(key.as_str())).collect()
    }

    /// Does `act` on the key, made if need be, at the instant that the clock shows under the key's lock, so that
    /// every key sees time in order.
    pub(crate) fn with<T>(
        &self,
        clock: &dyn Clock,
        key: &LockKey,
        act: impl FnOnce(&mut Entry, Timestamp) -> (T, Wakers),
    ) -> T {
        loop {
            let shared = self.entry(clock, key);
            if let Some(entry) = lock_unless_forgotten(&shared) {
                return finish(entry, clock, act);
            }
        }
    }

    /// Does `act` on the key if there is one. One that is being forgotten answers as it should: it is idle.
    pub(crate) fn with_known<T>(
        &self,
        clock: &dyn Clock,
        key: &LockKey,
        act: impl FnOnce(&mut Entry, Timestamp) -> (T, Wakers),
    ) -> Option<T> {
        let shared = Arc::clone(&*self.map.get(key)?);
        Some(finish(locked(&shared), clock, act))
    }

    /// Does `act` on all of these keys at one instant. They come in order, each once.
    pub(crate) fn with_all<T>(
        &self,
        clock: &dyn Clock,
        keys: &[LockKey],
        act: impl FnOnce(&mut [&mut State], Timestamp) -> T,
    ) -> T {
        loop {
            let shared: Vec<_> = keys.iter().map(|key| self.entry(clock, key)).collect();
            let entries = shared.iter().map(|shared| lock_unless_forgotten(shared));
            if let Some(mut entries) = entries.collect::<Option<Vec<_>>>() {
                let mut states: Vec<_> = entries.iter_mut().map(|entry| &mut entry.state).collect();
                return act(&mut states, clock.now());
            }
        }
    }

    fn entry(&self, clock: &dyn Clock, key: &LockKey) -> Arc<Mutex<Entry>> {
        if let Some(entry) = self.map.get(key) {
            return Arc::clone(&*entry);
        }
        let mut is_new = false;
        let entry = Arc::clone(&*self.map.entry(key.clone()).or_insert_with(|| {
            is_new = true;
            Arc::new(Mutex::new(Entry { state: State::new(self.retention), ..Entry::default() }))
        }));
        if is_new {
            self.review(clock.now(), key);
        }
        entry
    }

    /// Puts a new key down for review, and reviews some that are due.
    fn review(&self, now: Timestamp, new: &LockKey) {
        let mut reviews = locked(&self.reviews);
        let mut due = Vec::new();
        while due.len() < REVIEWS_PER_NEW_KEY
            && let Some(Reverse((at, _))) = reviews.peek()
            && *at <= now
        {
            due.extend(reviews.pop().map(|Reverse((_at, key))| key));
        }
        reviews.push(Reverse((now + self.retention.time, new.clone())));
        drop(reviews);
        let again: Vec<_> = due
            .into_iter()
            .filter_map(|key| Some(Reverse((self.forget(now, &key)?, key))))
            .collect();
        locked(&self.reviews).extend(again);
    }

    /// Forgets the key if nothing needs it; else says when to look again.
    fn forget(&self, now: Timestamp, key: &LockKey) -> Option<Timestamp> {
        let later = now + self.retention.time;
        let mut again = None;
        self.map.remove_if(key, |_, shared| {
            // Somebody is using it, or waits for its lock with the map unlocked: never wait here.
            let Ok(mut entry) = shared.try_lock() else {
                again = Some(later);
                return false;
            };
            entry.forgotten = entry.state.is_forgettable(now);
            if !entry.forgotten {
                again = Some(later.max(entry.state.forgettable_at()));
            }
            entry.forgotten
        });
        again
    }
}

/// Acts, unlocks, and only then wakes.
fn finish<T>(
    mut entry: MutexGuard<'_, Entry>,
    clock: &dyn Clock,
    act: impl FnOnce(&mut Entry, Timestamp) -> (T, Wakers),
) -> T {
    let (outcome, wakers) = act(&mut entry, clock.now());
    drop(entry);
    wakers.wake();
    outcome
}

/// Locks what was found in the map, unless it was taken out before it could be locked.
fn lock_unless_forgotten(shared: &Mutex<Entry>) -> Option<MutexGuard<'_, Entry>> {
    Some(locked(shared)).filter(|entry| !entry.forgotten)
}

/// A panic in between can't leave anything half done: every operation on a state is total.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use leasehold::VirtualClock;

    use super::*;

    #[test]
    fn a_key_forgotten_between_finding_and_locking_it_is_looked_up_again() {
        let (clock, key) = (VirtualClock::new(), LockKey::new("k").unwrap());
        let keys = Keys::new(Retention { time: Duration::ZERO, ids: 0 });
        let found = keys.entry(&clock, &key);
        assert!(lock_unless_forgotten(&found).is_some());
        assert_eq!(keys.forget(clock.now(), &key), None);
        assert!(lock_unless_forgotten(&found).is_none());
        assert!(!Arc::ptr_eq(&found, &keys.entry(&clock, &key)));
    }

    #[test]
    fn a_key_in_use_is_not_forgotten_nor_waited_for() {
        let (clock, key) = (VirtualClock::new(), LockKey::new("k").unwrap());
        let keys = Keys::new(Retention::default());
        let found = keys.entry(&clock, &key);
        let in_use = locked(&found);
        assert!(keys.forget(clock.now(), &key).is_some());
        drop(in_use);
        assert_eq!(keys.forget(clock.now(), &key), None);
    }
}
