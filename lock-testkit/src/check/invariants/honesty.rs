//! G8: an outcome says what happened.

use super::facts::{Facts, may_grant, timed_out};
use super::ownership::{before, succeeds};
use super::{Broken, Guarantee, Invariant};
use crate::history::Operation;

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G8,
    name: "honest outcomes",
    promise: "who was told that nothing was granted holds nothing",
    find,
};

fn find(facts: &Facts<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    for ((key, lease), ops) in &facts.by_lease {
        for op in ops.iter().filter(|op| succeeds(op)) {
            let asked: Vec<&&Operation> = ops
                .iter()
                .filter(|other| other.call.request().is_some() && before(other, op))
                .collect();
            let refused = |acquire: &&&Operation| {
                let over = acquire.returned_at().is_some_and(|at| at.index < op.invoked.index);
                // While it waited it may have been granted, and have heard only of the end.
                let denied = !may_grant(acquire) && (over || !acquire.call.waits());
                denied || timed_out(acquire) && over
            };
            if asked.is_empty() || !asked.iter().all(refused) {
                continue;
            }
            let name = op.call.name();
            broken.push(Broken {
                guarantee: Guarantee::G8,
                sentence: format!(
                    "invented outcome: every acquire of {lease} on {key:?} was answered without a grant, but {name} found it"
                ),
                key: key.to_string(),
                operations: asked.iter().map(|asked| asked.id).chain([op.id]).collect(),
            });
        }
    }
    broken
}
