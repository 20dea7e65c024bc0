//! The few operations that contradict each other.
//!
//! Operations are never just deleted: that can make a sound history wrong (without the grant, the
//! refusals beside it look invented). Each step here only relaxes, so that whatever is still wrong in the end is
//! wrong by itself:
//!
//! - an answer that changes nothing is dropped;
//! - a lease is dropped with everything that it did and every observation that it may explain;
//! - an extension, release or revocation becomes one that may or may not have happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::Limits;
use crate::check::lock::{Impasse, Options, Verdict, check};
use crate::history::{History, OpId, Operation, Outcome};

/// Checks that the search for a core may make.
const CHECKS: usize = 600;

/// Operations that are wrong by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// The operations, in order of invocation (numbers of the whole history).
    pub operations: Vec<OpId>,
    /// How many operations could be relaxed.
    pub relaxed: usize,
    /// Where the search ends with the relaxed history; its operation has the number of the whole
    /// history.
    pub impasse: Impasse,
    /// The relaxed history (its operations are numbered anew).
    pub history: History,
}

impl Core {
    /// The operation at which the search ended.
    pub(super) fn last(&self) -> Option<OpId> {
        self.operations
            .iter()
            .copied()
            .find(|id| *id == self.impasse.op)
            .or_else(|| self.operations.last().copied())
    }
}

/// One thing that can be relaxed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unit {
    Lease(Arc<str>),
    Observation(OpId),
    Optional(OpId),
}

/// What was relaxed so far.
#[derive(Clone, Debug, Default)]
struct Relaxed {
    dropped: BTreeSet<OpId>,
    optional: BTreeSet<OpId>,
    /// Waits that timed out, taken as if they had never returned.
    open: BTreeSet<OpId>,
}

/// Relaxes a history in which the search ended at `impasse` as far as it stays wrong.
#[must_use]
pub fn core(history: &History, options: &Options, impasse: &Impasse) -> Core {
    let mut shrink = Shrink::new(history, options, impasse);
    let units = shrink.units();
    shrink.chunks(units);
    shrink.finish()
}

struct Shrink<'a> {
    history: &'a History,
    options: Options,
    relaxed: Relaxed,
    impasse: Impasse,
    /// When a lease may have been live: from its first request to its last possible end.
    spans: BTreeMap<Arc<str>, (u64, u64)>,
    checks: usize,
}

impl<'a> Shrink<'a> {
    fn new(history: &'a History, options: &Options, impasse: &Impasse) -> Self {
        let limits = Limits { explored: 2_000_000, ..options.limits };
        let mut shrink = Self {
            history,
            options: Options { limits, ..*options },
            relaxed: Relaxed::default(),
            impasse: impasse.clone(),
            spans: BTreeMap::new(),
            checks: 0,
        };
        let mut relaxed = Relaxed::default();
        let end = history.get(impasse.op).and_then(Operation::returned_at);
        for op in history.operations() {
            let elsewhere =
                op.call.keys().iter().all(|key| !impasse.keys.contains(&key.to_string()));
            let later = end.is_some_and(|end| op.invoked.index > end.index);
            if elsewhere || later {
                relaxed.dropped.insert(op.id);
            }
        }
        shrink.try_relaxed(relaxed);
        shrink.spans = shrink.find_spans();
        shrink
    }

    fn find_spans(&self) -> BTreeMap<Arc<str>, (u64, u64)> {
        let mut spans: BTreeMap<Arc<str>, (u64, u64)> = BTreeMap::new();
        for op in self.history.operations() {
            let Some(lease) = op.call.lease() else {
                continue;
            };
            let ttl_ns = match (&op.call, op.outcome()) {
                (_, Some(Outcome::Granted { ttl_ns, .. })) => *ttl_ns,
                (crate::history::Call::Extend { ttl_ns, .. }, _) => *ttl_ns,
                (call, _) => call.request().map_or(0, |request| request.ttl_ns),
            };
            let hold = op.call.request().map_or(0, |request| request.min_hold_ns);
            let late = self.options.slack.span(ttl_ns.max(hold).max(1)).hi;
            let closed = op.closed().map_or(u64::MAX, |stamp| stamp.at_ns);
            let until = closed.saturating_add(u64::try_from(late).unwrap_or(u64::MAX));
            let span = spans.entry(Arc::clone(lease)).or_insert((op.invoked.at_ns, until));
            span.0 = span.0.min(op.invoked.at_ns);
            span.1 = span.1.max(until);
        }
        spans
    }

    /// Everything that can be relaxed: whole leases first.
    fn units(&self) -> Vec<Unit> {
        let mut leases: BTreeSet<&Arc<str>> = BTreeSet::new();
        // A release that was not held still ends its id: that may be why an acquire was refused.
        let mut refused: BTreeSet<&Arc<str>> = BTreeSet::new();
        let mut acquired: BTreeSet<&Arc<str>> = BTreeSet::new();
        for op in self.kept() {
            leases.extend(op.call.lease());
            if let Some(request) = op.call.request() {
                let granted = matches!(op.outcome(), Some(Outcome::Granted { .. }));
                if !acquired.insert(&request.lease) || !granted {
                    refused.insert(&request.lease);
                }
            }
        }
        let mut units: Vec<Unit> = leases.into_iter().cloned().map(Unit::Lease).collect();
        let plain = |op: &&Operation| {
            let ends = matches!(op.outcome(), Some(Outcome::NotHeld));
            !ends || op.call.lease().is_none_or(|lease| !refused.contains(lease))
        };
        let observes = |op: &&Operation| observes(op);
        units.extend(self.kept().filter(observes).filter(plain).map(|op| Unit::Observation(op.id)));
        let acts = self.kept().filter(|op| may_be_optional(op));
        units.extend(acts.map(|op| Unit::Optional(op.id)));
        units
    }

    fn kept(&self) -> impl Iterator<Item = &'a Operation> {
        let dropped = self.relaxed.dropped.clone();
        self.history.operations().iter().filter(move |op| !dropped.contains(&op.id))
    }

    /// Relaxes ever smaller runs of units, as long as the history stays wrong.
    fn chunks(&mut self, mut units: Vec<Unit>) {
        let mut size = units.len();
        while size > 0 {
            let mut left = Vec::new();
            let mut shrunk = false;
            for chunk in units.chunks(size) {
                let relaxed = self.relax(chunk);
                if self.try_relaxed(relaxed) {
                    shrunk = true;
                } else {
                    left.extend_from_slice(chunk);
                }
            }
            units = left;
            size = if shrunk && size == 1 { 1 } else { size / 2 };
            size = size.min(units.len());
        }
    }

    fn relax(&self, units: &[Unit]) -> Relaxed {
        let mut relaxed = self.relaxed.clone();
        for unit in units {
            match unit {
                Unit::Observation(op) => {
                    relaxed.dropped.insert(*op);
                }
                Unit::Optional(op) => {
                    relaxed.optional.insert(*op);
                }
                Unit::Lease(lease) => self.drop_lease(lease, &mut relaxed),
            }
        }
        relaxed
    }

    /// Drops a lease, with every observation that it may explain.
    fn drop_lease(&self, lease: &Arc<str>, relaxed: &mut Relaxed) {
        let Some(&(from, until)) = self.spans.get(lease) else {
            return;
        };
        let named = |op: &&Operation| op.call.lease() == Some(lease);
        let keys: BTreeSet<&Arc<str>> =
            self.history.operations().iter().filter(named).flat_map(|op| op.call.keys()).collect();
        let may_hold = self.history.operations().iter().filter(named).any(|op| {
            op.call.request().is_some() && !matches!(op.outcome(), Some(Outcome::Held { .. }))
        });
        for op in self.history.operations() {
            let beside = op.invoked.at_ns <= until
                && op.closed().is_none_or(|closed| closed.at_ns >= from)
                && op.call.keys().iter().any(|key| keys.contains(key));
            if op.call.lease() == Some(lease) || may_hold && beside && observes_others(op) {
                relaxed.dropped.insert(op.id);
            } else if may_hold && beside && matches!(op.outcome(), Some(Outcome::TimedOut)) {
                relaxed.open.insert(op.id);
            } else if may_hold && beside && matches!(op.outcome(), Some(Outcome::Revoked { .. })) {
                relaxed.optional.insert(op.id);
            }
        }
    }

    /// Takes the relaxation if the history stays wrong.
    fn try_relaxed(&mut self, relaxed: Relaxed) -> bool {
        if self.checks >= CHECKS {
            return false;
        }
        self.checks += 1;
        let (history, numbers) = self.apply(&relaxed);
        let Verdict::Violation(mut impasse) = check(&history, &self.options).verdict else {
            return false;
        };
        impasse.op = numbers[impasse.op.0];
        self.impasse = *impasse;
        self.relaxed = relaxed;
        true
    }

    fn apply(&self, relaxed: &Relaxed) -> (History, Vec<OpId>) {
        let mut numbers = Vec::new();
        let kept = self.history.filter(|op| {
            let keeps = !relaxed.dropped.contains(&op.id);
            if keeps {
                numbers.push(op.id);
            }
            keeps
        });
        let history = kept.map(|op| {
            if relaxed.open.contains(&numbers[op.id.0]) {
                op.returned = None;
            }
            if relaxed.optional.contains(&numbers[op.id.0])
                && let Some((stamp, outcome)) = &mut op.returned
            {
                *outcome = Outcome::unknown();
                op.settled = Some(*stamp);
            }
        });
        (history, numbers)
    }

    fn finish(self) -> Core {
        let (history, numbers) = self.apply(&self.relaxed);
        let operations: Vec<OpId> = history
            .operations()
            .iter()
            .filter(|op| !op.is_unknown() && !op.is_void())
            .map(|op| numbers[op.id.0])
            .collect();
        let relaxed = self.history.len() - operations.len();
        Core { operations, relaxed, impasse: self.impasse, history }
    }
}

/// Whether the answer changes nothing.
fn observes(op: &Operation) -> bool {
    let outcome = op.outcome();
    matches!(
        outcome,
        Some(Outcome::Held { .. } | Outcome::Lost | Outcome::NotHeld | Outcome::State { .. })
    )
}

/// Whether the answer may rest on somebody else's lease.
fn observes_others(op: &Operation) -> bool {
    let outcome = op.outcome();
    matches!(outcome, Some(Outcome::Held { .. } | Outcome::State { .. }))
}

fn may_be_optional(op: &Operation) -> bool {
    let outcome = op.outcome();
    matches!(
        outcome,
        Some(Outcome::Extended | Outcome::Downgraded | Outcome::Released | Outcome::Revoked { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::differential::random_history;

    #[test]
    fn no_relaxation_makes_a_sound_history_wrong() {
        let mut tried = 0;
        for seed in 0..7_500 {
            let case = random_history(seed, 9);
            if !check(&case.history, &case.options).verdict.is_ok() {
                continue;
            }
            let keys = case.history.keys().iter().map(ToString::to_string).collect();
            let last = OpId(case.history.len() - 1);
            let impasse = Impasse { keys, op: last, at_ns: 0, states: Vec::new() };
            let mut shrink = Shrink::new(&case.history, &case.options, &impasse);
            shrink.spans = shrink.find_spans();
            for unit in shrink.units() {
                tried += 1;
                let (history, _) = shrink.apply(&shrink.relax(std::slice::from_ref(&unit)));
                let verdict = check(&history, &case.options).verdict;
                assert!(verdict.is_ok(), "seed {seed}: {unit:?} {verdict:?}");
            }
        }
        assert!(tried > 20_000, "{tried}");
    }
}
