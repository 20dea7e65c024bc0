//! G4: only a lease that lives can be extended or released.

use super::facts::{Facts, may_grant};
use super::{Broken, Guarantee, Invariant};
use crate::history::{Operation, Outcome};

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G4,
    name: "ownership",
    promise: "only the id that holds a lease can extend or release it",
    find,
};

fn find(facts: &Facts<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    for ((key, lease), ops) in &facts.by_lease {
        for op in ops.iter().filter(|op| succeeds(op)) {
            let asked = ops.iter().any(|other| other.call.request().is_some() && before(other, op));
            if !asked {
                let sentence =
                    format!("{} of {lease} on {key:?}, which was never asked for", op.call.name());
                broken.push(told(sentence, key, vec![op.id]));
                continue;
            }
            let unseen =
                ops.iter().any(|other| other.is_unknown() || super::facts::timed_out(other));
            let ended = |until: u64| op.invoked.at_ns >= until;
            let latest = facts.sessions_of(key, lease).max_by_key(|session| session.possible_until);
            if let (false, Some(session)) = (unseen, latest)
                && ended(session.possible_until)
            {
                let until = session.possible_until;
                let sentence =
                    format!("late {}: {lease} on {key:?} had ended by {until} ns", op.call.name());
                broken.push(told(sentence, key, vec![session.grant.id, op.id]));
            }
        }
    }
    broken
}

/// Whether an operation succeeded as only the holder's can.
pub(super) fn succeeds(op: &Operation) -> bool {
    matches!(op.outcome(), Some(Outcome::Extended | Outcome::Downgraded | Outcome::Released))
}

/// Whether an acquire may have come before an operation that succeeded.
pub(super) fn before(acquire: &Operation, op: &Operation) -> bool {
    let returned = op.returned_at().map_or(usize::MAX, |stamp| stamp.index);
    acquire.invoked.index < returned && (may_grant(acquire) || acquire.outcome().is_some())
}

fn told(sentence: String, key: &str, operations: Vec<crate::history::OpId>) -> Broken {
    Broken { guarantee: Guarantee::G4, sentence, key: key.to_owned(), operations }
}
