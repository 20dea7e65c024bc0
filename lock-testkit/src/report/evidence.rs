//! How much a run has tried: a check that could not have failed shows nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::history::{Call, History, Mode, Outcome};

/// Counters over a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Operations.
    pub operations: usize,
    /// Answers "granted".
    pub granted: usize,
    /// Answers "held" and "timed out".
    pub refused: usize,
    /// Leases that were seen to have ended by themselves.
    pub expired: usize,
    /// Answers "extended".
    pub extended: usize,
    /// Answers "released".
    pub released: usize,
    /// Answers "lost" and "not held".
    pub gone: usize,
    /// Operations whose effect is unknown.
    pub unknown: usize,
    /// The most operations open at once.
    pub overlap: usize,
}

impl Evidence {
    /// Counts.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let mut evidence = Self { operations: history.len(), ..Self::default() };
        for op in history.operations() {
            evidence.unknown += usize::from(op.is_unknown());
            match op.outcome() {
                Some(Outcome::Granted { .. }) => evidence.granted += 1,
                Some(Outcome::Held { .. } | Outcome::TimedOut) => evidence.refused += 1,
                Some(Outcome::Extended) => evidence.extended += 1,
                Some(Outcome::Released) => evidence.released += 1,
                Some(Outcome::Lost | Outcome::NotHeld) => evidence.gone += 1,
                _ => {}
            }
        }
        evidence.expired = expired(history);
        evidence.overlap = overlap(history);
        evidence
    }

    /// Whether the run could hardly have failed: nobody was ever refused, or nothing ever expired.
    #[must_use]
    pub fn is_vacuous(&self) -> bool {
        !self.gaps().is_empty()
    }

    /// What the run did not try.
    #[must_use]
    pub fn gaps(&self) -> Vec<&'static str> {
        let gaps = [
            (self.granted == 0, "nothing was granted"),
            (self.refused == 0, "nobody was ever refused"),
            (self.expired == 0, "nothing was seen to expire"),
        ];
        gaps.into_iter().filter(|(gap, _)| *gap).map(|(_, words)| words).collect()
    }
}

/// The leases of a key, by token.
type Granted<'a> = BTreeMap<u64, (&'a Arc<str>, Mode)>;

/// Leases that nobody gave back and that were found gone: lost, not held, or an exclusive lease that was
/// followed by another grant.
fn expired(history: &History) -> usize {
    let mut ended: BTreeSet<&Arc<str>> = BTreeSet::new();
    let mut revoked: BTreeSet<&Arc<str>> = BTreeSet::new();
    let mut grants: BTreeMap<&Arc<str>, Granted<'_>> = BTreeMap::new();
    let mut gone: BTreeSet<&Arc<str>> = BTreeSet::new();
    for op in history.operations() {
        match (&op.call, op.outcome()) {
            (Call::Release { lease, .. }, outcome) if outcome != Some(&Outcome::NotHeld) => {
                ended.insert(lease);
            }
            (Call::Revoke { key }, _) => {
                revoked.insert(key);
            }
            (call, Some(Outcome::Granted { token, .. })) => {
                let Some(request) = call.request() else {
                    continue;
                };
                for key in &request.keys {
                    grants.entry(key).or_default().insert(*token, (&request.lease, request.mode));
                }
            }
            (call, Some(Outcome::Lost | Outcome::NotHeld)) => gone.extend(call.lease()),
            _ => {}
        }
    }
    let mut expired: BTreeSet<&Arc<str>> = BTreeSet::new();
    for (key, grants) in &grants {
        if revoked.contains(key) {
            continue;
        }
        let followed = grants.values().zip(grants.values().skip(1));
        let alone = |(one, next): &(&(_, Mode), &(_, Mode))| {
            one.1 == Mode::Exclusive || next.1 == Mode::Exclusive
        };
        expired.extend(followed.filter(alone).map(|(one, _)| one.0));
        expired
            .extend(grants.values().map(|(lease, _)| *lease).filter(|lease| gone.contains(lease)));
    }
    expired.difference(&ended).count()
}

fn overlap(history: &History) -> usize {
    let mut steps: Vec<(usize, isize)> = Vec::with_capacity(history.events());
    for op in history.operations() {
        steps.push((op.invoked.index, 1));
        steps.extend(op.returned_at().map(|stamp| (stamp.index, -1)));
    }
    steps.sort_unstable();
    let (mut open, mut most) = (0_isize, 0);
    for (_, step) in steps {
        open += step;
        most = most.max(open);
    }
    usize::try_from(most).unwrap_or(0)
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations, {} granted, {} refused, {} expired, {} extended, {} released, {} lost or not held, {} unknown, {} at once",
            self.operations,
            self.granted,
            self.refused,
            self.expired,
            self.extended,
            self.released,
            self.gone,
            self.unknown,
            self.overlap
        )
    }
}
