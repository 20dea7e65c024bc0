//! Places in a queue.

use std::collections::BTreeMap;

use crate::history::{History, Operation};

/// For each operation, whether another call waits under its id when it is made. An id has one place in the queue: who
/// joins it stands where the id stands, which may be ahead of those who came before the call.
pub(super) fn joined(history: &History) -> Vec<bool> {
    let mut waits: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    let mut joined = Vec::with_capacity(history.len());
    for op in history.operations() {
        let Some(request) = op.call.request() else {
            joined.push(false);
            continue;
        };
        let others = waits.entry(&request.lease).or_default();
        others.retain(|other| other.closed().is_none_or(|at| at.index > op.invoked.index));
        let shares =
            |other: &&Operation| other.call.keys().iter().any(|key| request.keys.contains(key));
        joined.push(others.iter().any(shares));
        if op.call.waits() {
            others.push(op);
        }
    }
    joined
}
