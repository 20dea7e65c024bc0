//! One possibility: what the backend's state may be at this point of the history.

use smallvec::SmallVec;

use super::part::{Op, Spec};
use super::zone::Zone;
use crate::check::hash::FixedHasher;
use crate::model::lock::Span;

/// A set of slots of open operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slots<const W: usize>([u64; W]);

impl<const W: usize> Slots<W> {
    pub(super) const EMPTY: Self = Self([0; W]);
    pub(super) const CAPACITY: usize = 64 * W;

    #[inline]
    pub(super) fn has(&self, slot: u32) -> bool {
        self.0[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    #[inline]
    pub(super) fn put(&mut self, slot: u32) {
        self.0[slot as usize / 64] |= 1 << (slot % 64);
    }

    #[inline]
    pub(super) fn take(&mut self, slot: u32) {
        self.0[slot as usize / 64] &= !(1 << (slot % 64));
    }

    #[inline]
    pub(super) fn within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, its)| mine & !its == 0)
    }

    #[inline]
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = *self;
        for (mine, its) in rest.0.iter_mut().zip(&other.0) {
            *mine &= !its;
        }
        rest
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The slots, growing.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + use<W> {
        let words = self.0;
        (0_u32..).zip(words).flat_map(|(index, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.wrapping_sub(1);
                (bit < 64).then_some(index * 64 + bit)
            })
        })
    }

    fn hash(&self, hasher: &mut FixedHasher) {
        for word in self.0 {
            hasher.mix(word);
        }
    }
}

/// No operation.
pub(super) const NOTHING: u32 = u32::MAX;

/// A lease on a key. Its end is a variable of the zone, its minimum hold another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: u32,
    pub(super) lease: u32,
    /// 0: a token that no answer ever shows.
    pub(super) token: u64,
    pub(super) spec: Spec,
    /// Released under a minimum hold.
    pub(super) released: bool,
    /// It still has a minimum hold (and its variable).
    pub(super) holds: bool,
    /// The operation that got it and may still give it back unseen, or [`NOTHING`].
    pub(super) by: u32,
}

/// Tokens of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// How many of the shown tokens are granted.
    pub(super) granted: u32,
    /// The least that the greatest token granted so far can be.
    pub(super) last: u64,
}

pub(super) type Small = SmallVec<[u32; 2]>;

/// A possible state of the part, with the operations that took effect among those still open.
#[derive(Clone, Debug)]
pub(super) struct Config<const W: usize> {
    /// Sorted by key, then lease.
    pub(super) entries: SmallVec<[Entry; 1]>,
    pub(super) tokens: SmallVec<[Tokens; 1]>,
    /// Open definite operations that took effect, or were observed.
    pub(super) done: Slots<W>,
    /// Open optional operations (and internal grants) that took effect; sorted.
    pub(super) used: Small,
    /// Open waiting acquires that lost a grant nobody saw, and with it their place in the queue; sorted.
    pub(super) ghosts: Small,
    /// Keys and leases whose id is dead there, as far as that matters; sorted.
    pub(super) dead: SmallVec<[(u32, u32); 1]>,
    pub(super) zone: Zone,
}

pub(super) fn insert_sorted(list: &mut Small, value: u32) {
    if let Err(place) = list.binary_search(&value) {
        list.insert(place, value);
    }
}

pub(super) fn remove_sorted(list: &mut Small, value: u32) {
    if let Ok(place) = list.binary_search(&value) {
        list.remove(place);
    }
}

impl<const W: usize> Config<W> {
    pub(super) fn first(keys: usize, now: i64) -> Self {
        Self {
            entries: SmallVec::new(),
            tokens: SmallVec::from_elem(Tokens::default(), keys),
            done: Slots::EMPTY,
            used: Small::new(),
            ghosts: Small::new(),
            dead: SmallVec::new(),
            zone: Zone::at(now),
        }
    }

    /// The zone's variable for the end of an entry.
    #[inline]
    pub(super) fn end(&self, entry: usize) -> usize {
        2 + entry + self.entries[..entry].iter().filter(|entry| entry.holds).count()
    }

    /// The entry of a lease on a key.
    #[inline]
    pub(super) fn find(&self, key: u32, lease: u32) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key && entry.lease == lease)
    }

    /// The entry of a lease on a key, if it was not released.
    #[inline]
    pub(super) fn held(&self, key: u32, lease: u32) -> Option<usize> {
        self.find(key, lease).filter(|entry| !self.entries[*entry].released)
    }

    /// Whether an operation has what nobody saw it granted.
    #[inline]
    pub(super) fn has_unseen(&self, number: u32) -> bool {
        self.entries.iter().any(|entry| entry.by == number && !entry.released)
    }

    /// Whether the id of a request is dead on one of its keys.
    #[inline]
    pub(super) fn is_dead(&self, op: &Op) -> bool {
        !self.dead.is_empty()
            && op.keys.iter().any(|key| self.dead.binary_search(&(*key, op.lease)).is_ok())
    }

    /// The id of a lease is dead on a key from now on.
    pub(super) fn kill(&mut self, key: u32, lease: u32) {
        if let Err(place) = self.dead.binary_search(&(key, lease)) {
            self.dead.insert(place, (key, lease));
        }
    }

    /// Adds an entry; its end lies in the spec's span after now.
    pub(super) fn add(&mut self, entry: Entry, ends: Span) {
        let place = self
            .entries
            .iter()
            .position(|other| (other.key, other.lease) > (entry.key, entry.lease))
            .unwrap_or(self.entries.len());
        self.entries.insert(place, entry);
        let var = self.end(place);
        self.zone.insert(var, ends);
        if let (true, Some(holds)) = (entry.holds, entry.spec.holds) {
            self.zone.insert(var + 1, holds);
        }
    }

    /// Drops an entry.
    pub(super) fn drop(&mut self, entry: usize) {
        let var = self.end(entry);
        if self.entries[entry].holds {
            self.zone.remove(var + 1);
        }
        self.zone.remove(var);
        self.entries.remove(entry);
    }

    /// Keeps the points of the zone where each lease is live; false if there are none.
    #[must_use]
    pub(super) fn all_alive(&self, zone: &mut Zone) -> bool {
        (0..self.entries.len()).all(|entry| zone.alive(self.end(entry)))
    }

    /// A hash over what [`same`](Self::same) compares. `pure`: slots of operations that change nothing.
    pub(super) fn hash(&self, pure: &Slots<W>) -> u64 {
        let mut hasher = FixedHasher::default();
        for entry in &self.entries {
            hasher.mix(u64::from(entry.key) << 32 | u64::from(entry.lease));
            hasher.mix(entry.token << 1 | u64::from(entry.released));
        }
        for tokens in &self.tokens {
            hasher.mix(u64::from(tokens.granted));
        }
        for (key, lease) in &self.dead {
            hasher.mix(u64::from(*key) << 32 | u64::from(*lease));
        }
        self.done.without(pure).hash(&mut hasher);
        std::hash::Hasher::finish(&hasher)
    }

    /// Whether both are the same but for zones, pure operations, optional operations and last tokens.
    pub(super) fn same(&self, other: &Self, pure: &Slots<W>) -> bool {
        self.entries == other.entries
            && self.dead == other.dead
            && self.done.without(pure) == other.done.without(pure)
            && self.tokens.iter().zip(&other.tokens).all(|(a, b)| a.granted == b.granted)
    }

    /// Whether, the two being the [`same`](Self::same), whatever may follow `other` may follow this one too, zones left
    /// aside: it has fewer obligations left, used up no more, and fewer keep their places in the queue.
    pub(super) fn freer(&self, other: &Self) -> bool {
        other.done.within(&self.done)
            && self.tokens.iter().zip(&other.tokens).all(|(a, b)| a.last <= b.last)
            && self.used.iter().all(|op| other.used.binary_search(op).is_ok())
            && other.ghosts.iter().all(|op| self.ghosts.binary_search(op).is_ok())
    }
}
