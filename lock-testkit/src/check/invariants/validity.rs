//! G3: a lease is not lost while it certainly lives.

use super::facts::{Facts, Session};
use super::{Broken, Guarantee, Invariant};
use crate::history::{Operation, Outcome};

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G3,
    name: "validity",
    promise: "a lease that nobody ended lives for its whole ttl",
    find,
};

fn find(facts: &Facts<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    for session in facts.sessions.values().flatten() {
        let lost = |op: &&&Operation| {
            matches!(op.outcome(), Some(Outcome::Lost | Outcome::NotHeld)) && inside(session, op)
        };
        let named = facts.of(session.key, session.lease).iter().find(lost);
        let readings = facts.readings.get(session.key).map_or(&[][..], Vec::as_slice);
        // Readings come in order of invocation: none before the grant was answered can tell.
        let from = readings.partition_point(|op| op.invoked.index < session.since.0);
        let during = readings[from..].iter();
        let read = during
            .take_while(|op| op.invoked.at_ns < session.certain_until)
            .find(|op| hides(session, op) && inside(session, op));
        broken.extend(named.or(read).map(|op| told(session, op)));
    }
    broken
}

/// Whether the operation took place while the lease certainly lived.
fn inside(session: &Session<'_>, op: &Operation) -> bool {
    let returned = op.returned_at().is_some_and(|stamp| stamp.at_ns < session.certain_until);
    returned && op.invoked.index > session.since.0
}

/// Whether a reading does not show the lease.
fn hides(session: &Session<'_>, op: &Operation) -> bool {
    let Some(Outcome::State { leases, .. }) = op.outcome() else {
        return false;
    };
    leases.iter().all(|view| view.token != session.token)
}

fn told(session: &Session<'_>, op: &Operation) -> Broken {
    let Session { key, lease, certain_until, .. } = session;
    let (name, client) = (op.call.name(), &op.client);
    Broken {
        guarantee: Guarantee::G3,
        sentence: format!(
            "lost lease: {lease} certainly held {key:?} until {certain_until} ns, but {name} by {client} did not find it"
        ),
        key: key.to_string(),
        operations: vec![session.grant.id, op.id],
    }
}
