//! The state of some keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Span;
use crate::history::{LeaseRequest, Mode};

/// A lease that is live on a key, or was when last looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LiveLease {
    /// Its fencing token; `None` if no answer ever showed it.
    pub token: Option<u64>,
    /// Its mode.
    pub mode: Mode,
    /// How many permits it takes.
    pub permits: u32,
    /// Where its end lies (instants of the clock).
    pub ends: Span,
    /// Where its minimum hold ends, if it has one and was not released.
    pub holds: Option<Span>,
    /// Released under a minimum hold: it still blocks, but nobody can use it.
    pub released: bool,
}

/// The state of some keys between two operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LockState {
    /// Live leases by key and name.
    pub leases: BTreeMap<(Arc<str>, Arc<str>), LiveLease>,
    /// The greatest token granted on a key; nothing if none was.
    pub last_token: BTreeMap<Arc<str>, u64>,
    /// Leases that were released or given up, by key and name.
    pub dead: BTreeSet<(Arc<str>, Arc<str>)>,
}

impl LockState {
    /// The leases of one key.
    pub fn on<'a>(&'a self, key: &'a str) -> impl Iterator<Item = (&'a Arc<str>, &'a LiveLease)> {
        self.leases
            .iter()
            .filter(move |((on, _), _)| &**on == key)
            .map(|((_, name), lease)| (name, lease))
    }

    /// The lease of this name on this key, unless it was released.
    #[must_use]
    pub fn held(&self, key: &Arc<str>, lease: &Arc<str>) -> Option<&LiveLease> {
        self.leases.get(&(Arc::clone(key), Arc::clone(lease))).filter(|lease| !lease.released)
    }

    /// Whether the request's id is dead on one of its keys.
    #[must_use]
    pub fn is_dead(&self, request: &LeaseRequest) -> bool {
        let name = |key: &Arc<str>| (Arc::clone(key), Arc::clone(&request.lease));
        request.keys.iter().any(|key| self.dead.contains(&name(key)))
    }

    /// Whether a request fits beside the live leases of one key (its own left aside).
    #[must_use]
    pub fn compatible(&self, key: &str, request: &LeaseRequest) -> bool {
        let Mode::Shared { limit } = request.mode else {
            return self.on(key).all(|(name, _)| *name == request.lease);
        };
        let mut smallest = limit;
        let mut taken = u64::from(request.permits);
        for (name, lease) in self.on(key) {
            if *name == request.lease {
                continue;
            }
            let Mode::Shared { limit } = lease.mode else {
                return false;
            };
            taken += u64::from(lease.permits);
            smallest = match (smallest, limit) {
                (Some(one), Some(other)) if one != other => return false,
                (one, other) => one.or(other),
            };
        }
        smallest.is_none_or(|limit| taken <= u64::from(limit))
    }

    /// Every state in which the clock may stand at `now`: a lease that has certainly ended is gone, one
    /// that may have ended is gone or lives on.
    #[must_use]
    pub fn at(&self, now: i64) -> Vec<Self> {
        let mut states = vec![self.clone()];
        for (name, lease) in &self.leases {
            if now < lease.ends.lo {
                continue;
            }
            let mut gone = states.clone();
            for state in &mut gone {
                state.leases.remove(name);
            }
            if now < lease.ends.hi {
                for state in &mut states {
                    if let Some(lease) = state.leases.get_mut(name) {
                        lease.ends.lo = now + 1;
                    }
                }
                states.append(&mut gone);
            } else {
                states = gone;
            }
        }
        states
    }
}
