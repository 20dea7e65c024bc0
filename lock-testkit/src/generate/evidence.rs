//! What a run has shown at all.

use std::{
    collections::BTreeMap,
    fmt,
    ops::{Add, AddAssign},
};

use crate::history::{Call, History, Outcome};

/// Counters that say whether a run could have shown anything: in one without a refusal and without an
/// expiry every check passes, and proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Operations.
    pub operations: u64,
    /// Grants, repeated ones included.
    pub granted: u64,
    /// Tries that were held, and waits that timed out.
    pub refused: u64,
    /// Leases that ran out while somebody still used their key: nobody released or revoked them in time.
    pub expired: u64,
    /// Waits that were granted, but not at once.
    pub handed_over: u64,
    /// Extensions that came too late.
    pub lost: u64,
    /// Operations whose effect is unknown.
    pub unknown: u64,
}

impl Evidence {
    /// Counts what happened in a history.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let mut evidence = Self { operations: history.len() as u64, ..Self::default() };
        for op in history.operations() {
            match op.outcome() {
                Some(Outcome::Granted { .. }) => evidence.granted += 1,
                Some(Outcome::Held { .. } | Outcome::TimedOut) => evidence.refused += 1,
                Some(Outcome::Lost) => evidence.lost += 1,
                _ => {}
            }
            if op.is_unknown() {
                evidence.unknown += 1;
            }
            if op.call.waits() && op.enqueued.is_some() && is_granted(op.outcome()) {
                evidence.handed_over += 1;
            }
        }
        evidence.expired = expired(history);
        evidence
    }

    /// Whether the run shows nothing: nothing expired, or nobody was ever refused.
    #[must_use]
    pub const fn is_vacuous(&self) -> bool {
        self.expired == 0 || self.refused == 0
    }
}

fn is_granted(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Granted { .. }))
}

/// The leases whose last known end passed before the last operation on one of their keys began.
fn expired(history: &History) -> u64 {
    let mut last_use: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ends: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for op in history.operations() {
        for key in op.call.keys() {
            last_use.insert(key, op.invoked.at_ns);
        }
        let Some((returned, outcome)) = &op.returned else { continue };
        match (&op.call, outcome) {
            (Call::TryAcquire(ask) | Call::Acquire { request: ask, .. }, granted)
                if is_granted(Some(granted)) =>
            {
                for key in &ask.keys {
                    ends.insert((key, &ask.lease), returned.at_ns + ask.ttl_ns);
                }
            }
            (Call::Extend { lease, key, ttl_ns }, Outcome::Extended) => {
                let end = ends.entry((key, lease)).or_default();
                *end = (*end).max(returned.at_ns + ttl_ns);
            }
            (Call::Release { lease, key }, Outcome::Released) => {
                ends.remove(&(&**key, &**lease));
            }
            (Call::Revoke { key }, Outcome::Revoked { .. }) => {
                ends.retain(|(on, _), _| *on != &**key);
            }
            _ => {}
        }
    }
    ends.iter().filter(|((key, _), end)| last_use.get(key) >= Some(end)).count() as u64
}

impl Add for Evidence {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            operations: self.operations + other.operations,
            granted: self.granted + other.granted,
            refused: self.refused + other.refused,
            expired: self.expired + other.expired,
            handed_over: self.handed_over + other.handed_over,
            lost: self.lost + other.lost,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl AddAssign for Evidence {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, granted, refused, expired, handed_over, lost, unknown } = self;
        write!(
            f,
            "{operations} operations: {granted} granted, {refused} refused, {expired} expired, \
             {handed_over} handed over, {lost} lost, {unknown} unknown"
        )
    }
}
