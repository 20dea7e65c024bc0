//! G6: first come, first served.

use super::facts::Facts;
use super::{Broken, Guarantee, Invariant};
use crate::history::{Operation, Stamp};

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G6,
    name: "order",
    promise: "waiters are granted in the order in which they were enqueued",
    find,
};

/// In order of token, each grant must not have been asked for after one of a greater token was in the
/// queue.
fn find(facts: &Facts<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    if !facts.options.policy.fifo {
        return broken;
    }
    for (key, sessions) in &facts.sessions {
        let mut waiting: Option<(Stamp, &Operation)> = None;
        for session in sessions.iter().rev() {
            let op = session.grant;
            if let Some((enqueued, other)) = waiting
                && enqueued.index < session.asked
                && other.returned_at().is_some_and(|at| at.index > session.asked)
            {
                let (first, second) = (&other.client, &op.client);
                let sentence = format!(
                    "barging: {first} was in the queue of {key:?} before {second} asked, but {second} was granted first"
                );
                let operations = vec![other.id, op.id];
                let (guarantee, key) = (Guarantee::G6, key.to_string());
                broken.push(Broken { guarantee, sentence, key, operations });
            }
            let alone =
                facts.of(key, session.lease).iter().filter(|op| op.call.request().is_some());
            let keeps_its_place = alone.count() == 1 && !facts.may_queue_again(op);
            let enqueued = op.enqueued.filter(|_| keeps_its_place);
            if let Some(stamp) = enqueued
                && waiting.is_none_or(|(other, _)| stamp.index < other.index)
            {
                waiting = Some((stamp, op));
            }
        }
    }
    broken
}
