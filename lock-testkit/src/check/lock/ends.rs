//! How the end of a lease moves.

use smallvec::SmallVec;

use super::config::{Config, NOTHING};
use crate::model::lock::Span;

/// Both ways in which the later of two ends can fall.
pub(super) fn refresh_one<const W: usize>(
    config: Config<W>,
    key: u32,
    lease: u32,
    ends: Span,
    made: &mut SmallVec<[Config<W>; 2]>,
) {
    let Some(entry) = config.held(key, lease) else {
        return;
    };
    let var = config.end(entry);
    let mut kept = config.clone();
    if kept.zone.within(var, Span { lo: ends.hi + 1, hi: i64::MAX / 4 }) {
        made.push(kept);
    }
    let mut moved = config;
    moved.zone.insert(var, ends);
    if moved.zone.apart(var + 1, var, 0) {
        moved.zone.remove(var + 1);
        made.push(moved);
    }
}

/// The lease goes, or stays unusable until the end of its minimum hold.
pub(super) fn release_one<const W: usize>(
    mut config: Config<W>,
    key: u32,
    lease: u32,
    made: &mut Vec<Config<W>>,
) {
    let Some(entry) = config.held(key, lease) else {
        return;
    };
    if config.entries[entry].holds {
        let var = config.end(entry);
        let mut kept = config.clone();
        if kept.zone.alive(var + 1) {
            kept.zone.remove(var);
            kept.entries[entry].holds = false;
            kept.entries[entry].released = true;
            kept.entries[entry].by = NOTHING;
            made.push(kept);
        }
        if !config.zone.over(var + 1) {
            return;
        }
    }
    config.drop(entry);
    made.push(config);
}
