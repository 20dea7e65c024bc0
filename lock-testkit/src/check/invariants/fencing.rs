//! G2: tokens of a key are unique and grow in grant order.

use super::facts::{Facts, Session};
use super::{Broken, Guarantee, Invariant};

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G2,
    name: "fencing",
    promise: "tokens of one key are unique and grow in grant order",
    find,
};

fn find(facts: &Facts<'_>) -> Vec<Broken> {
    facts.sessions.values().flat_map(|sessions| on_key(sessions)).collect()
}

/// Sessions come in order of token: each must not have been asked for after one of a greater (or equal)
/// token was answered.
fn on_key(sessions: &[Session<'_>]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for pair in sessions.windows(2).filter(|pair| pair[0].token == pair[1].token) {
        broken.push(told("one token for two leases", &pair[0], &pair[1]));
    }
    let mut earliest: Option<&Session<'_>> = None;
    for session in sessions.iter().rev() {
        if let Some(later) = earliest
            && later.token > session.token
            && later.since.0 < session.asked
        {
            broken.push(told("a token that does not grow", later, session));
        }
        if earliest.is_none_or(|other| session.since.0 < other.since.0) {
            earliest = Some(session);
        }
    }
    broken
}

fn told(what: &str, first: &Session<'_>, second: &Session<'_>) -> Broken {
    let name = |session: &Session<'_>| format!("{} got {}", session.lease, session.token);
    let (key, first_name, second_name) = (first.key, name(first), name(second));
    Broken {
        guarantee: Guarantee::G2,
        sentence: format!("{what} on {key:?}: {first_name}, then {second_name}"),
        key: key.to_string(),
        operations: vec![first.grant.id, second.grant.id],
    }
}
