//! A set of possibilities in which none is covered by another.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::config::{Config, Slots};
use crate::check::hash::FixedState;

/// From here on lookups go through a map.
const LARGE: usize = 48;

/// Configurations without those that another covers. Places are stable until [`drain`](Self::drain).
#[derive(Debug)]
pub(super) struct Table<const W: usize> {
    configs: Vec<Option<Config<W>>>,
    hashes: Vec<u64>,
    places: HashMap<u64, SmallVec<[u32; 2]>, FixedState>,
    alive: usize,
}

impl<const W: usize> Table<W> {
    pub(super) fn new() -> Self {
        Self { configs: Vec::new(), hashes: Vec::new(), places: HashMap::default(), alive: 0 }
    }

    pub(super) fn alive(&self) -> usize {
        self.alive
    }

    pub(super) fn places(&self) -> usize {
        self.configs.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Config<W>> {
        self.configs[place].as_ref()
    }

    /// Adds a configuration unless one covers it; drops those that it covers.
    pub(super) fn insert(&mut self, mut config: Config<W>, pure: &Slots<W>) {
        let hash = config.hash(pure);
        for place in self.candidates(hash) {
            let Some(other) = &self.configs[place as usize] else {
                continue;
            };
            if !other.same(&config, pure) {
                continue;
            }
            if other.freer(&config) {
                if other.zone.includes(&config.zone) {
                    return;
                }
                if config.freer(other)
                    && let Some(union) = other.zone.union(&config.zone)
                {
                    config.zone = union;
                    self.forget(place);
                    continue;
                }
            }
            if config.freer(other) && config.zone.includes(&other.zone) {
                self.forget(place);
            }
        }
        self.push(hash, config);
    }

    fn candidates(&self, hash: u64) -> SmallVec<[u32; 8]> {
        if self.configs.len() >= LARGE {
            let places = self.places.get(&hash);
            return places.map(|places| places.iter().copied().collect()).unwrap_or_default();
        }
        let places = 0_u32..;
        self.hashes.iter().zip(places).filter(|(its, _)| **its == hash).map(|(_, at)| at).collect()
    }

    fn forget(&mut self, place: u32) {
        self.configs[place as usize] = None;
        self.alive -= 1;
    }

    fn push(&mut self, hash: u64, config: Config<W>) {
        self.configs.push(Some(config));
        self.hashes.push(hash);
        self.alive += 1;
        if self.configs.len() < LARGE {
            return;
        }
        let from = if self.configs.len() == LARGE { 0 } else { self.configs.len() - 1 };
        for (place, hash) in (0_u32..).zip(&self.hashes).skip(from) {
            self.places.entry(*hash).or_default().push(place);
        }
    }

    /// Empties the table.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Config<W>> + use<'_, W> {
        self.hashes.clear();
        self.places.clear();
        self.alive = 0;
        self.configs.drain(..).flatten()
    }
}
