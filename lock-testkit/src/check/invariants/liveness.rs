//! G7: a free key finds its waiter.

use super::facts::{Facts, Stretch};
use super::{Broken, Guarantee, Invariant};
use crate::history::{Operation, Outcome};

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G7,
    name: "liveness",
    promise: "when a key becomes free, a live waiter is granted within the bound",
    find,
};

fn find(facts: &Facts<'_>) -> Vec<Broken> {
    let Some(bound) = facts.bounds.wake_within_ns else {
        return Vec::new();
    };
    let waits = facts.history.operations().iter().filter(|op| op.call.waits() && !op.is_unknown());
    waits.filter_map(|op| kept_waiting(facts, op, bound)).collect()
}

/// A waiter that sat beside a certainly free key for longer than the bound.
fn kept_waiting(facts: &Facts<'_>, op: &Operation, bound: u64) -> Option<Broken> {
    let [key] = op.call.keys() else { return None };
    let returned = op.returned_at()?.at_ns;
    let taken = facts.taken.get(key).map_or(&[][..], Vec::as_slice);
    let token = match op.outcome() {
        Some(Outcome::Granted { token, .. }) => Some(*token),
        _ => None,
    };
    let mut free = op.enqueued.unwrap_or(op.invoked).at_ns;
    let mut before: Option<&Stretch> = None;
    // Who has a greater token was granted later: that cannot have been in the way.
    let later =
        |stretch: &&Stretch| token.is_some_and(|mine| stretch.token.is_some_and(|its| its > mine));
    for stretch in taken.iter().filter(|stretch| stretch.op != op.id && !later(stretch)) {
        if stretch.from > free.saturating_add(bound) {
            break;
        }
        if stretch.until > free {
            (free, before) = (stretch.until, Some(stretch));
        }
    }
    if returned <= free.saturating_add(bound) {
        return None;
    }
    let client = &op.client;
    Some(Broken {
        guarantee: Guarantee::G7,
        sentence: format!(
            "lost wake-up: {key:?} was certainly free from {free} ns on, but {client} waited until {returned} ns"
        ),
        key: key.to_string(),
        operations: before.map(|stretch| stretch.op).into_iter().chain([op.id]).collect(),
    })
}
