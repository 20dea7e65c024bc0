//! The guarantees as invariants over a history, one a file.
//!
//! Each looks for a direct contradiction between a few operations and names them. They say less than
//! the [lock checker](super::lock) (whatever they find, it refuses too), but they say it in the
//! words of the guarantees, in `O(n log n)`, and on histories that are too hard for a full search.

mod exclusion;
mod facts;
mod fencing;
mod honesty;
mod liveness;
mod order;
mod orphans;
mod ownership;
mod validity;

use std::fmt;

use self::facts::Facts;
use super::lock::Options;
use crate::history::{History, OpId};

/// The guarantees that a history can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// Exclusion.
    G1,
    /// Fencing.
    G2,
    /// Validity.
    G3,
    /// Ownership.
    G4,
    /// No orphan.
    G5,
    /// Order.
    G6,
    /// Liveness.
    G7,
    /// Honest errors.
    G8,
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// What happened, in one sentence.
    pub sentence: String,
    /// The key.
    pub key: String,
    /// The operations that contradict each other.
    pub operations: Vec<OpId>,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Invariant {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// Its name.
    pub name: &'static str,
    /// What it promises.
    pub promise: &'static str,
    find: fn(&Facts<'_>) -> Vec<Broken>,
}

impl fmt::Debug for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invariant").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every invariant, in order of the guarantees.
pub const TABLE: [Invariant; 8] = [
    exclusion::INVARIANT,
    fencing::INVARIANT,
    validity::INVARIANT,
    ownership::INVARIANT,
    orphans::INVARIANT,
    order::INVARIANT,
    liveness::INVARIANT,
    honesty::INVARIANT,
];

/// Bounds that the lock checker does not need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// A key may be certainly free for this long (nanoseconds) while somebody waits for it;
    /// `None`: liveness is not judged.
    pub wake_within_ns: Option<u64>,
}

/// Every broken invariant of a history, in order of the guarantees.
#[must_use]
pub fn broken(history: &History, options: &Options, bounds: Bounds) -> Vec<Broken> {
    let facts = Facts::new(history, options, bounds);
    TABLE.iter().flat_map(|invariant| (invariant.find)(&facts)).collect()
}

#[cfg(test)]
mod tests;
