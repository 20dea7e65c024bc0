//! G1: no two leases of a key are live together that exclude each other.

use super::facts::{Facts, Session};
use super::{Broken, Guarantee, Invariant};
use crate::history::Mode;

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G1,
    name: "exclusion",
    promise: "no exclusive lease is live beside another, and no more permits than any limit allows",
    find,
};

fn find(facts: &Facts<'_>) -> Vec<Broken> {
    facts.sessions.values().flat_map(|sessions| on_key(sessions)).collect()
}

fn on_key(sessions: &[Session<'_>]) -> Vec<Broken> {
    let certain = |session: &&Session<'_>| session.since.1 < session.certain_until;
    let mut starts: Vec<&Session<'_>> = sessions.iter().filter(certain).collect();
    starts.sort_by_key(|session| session.since);
    let mut live: Vec<&Session<'_>> = Vec::new();
    let mut broken = Vec::new();
    for session in starts {
        live.retain(|other| other.certain_until > session.since.1 && other.lease != session.lease);
        let excludes = |other: &&&Session<'_>| {
            session.request.mode == Mode::Exclusive || other.request.mode == Mode::Exclusive
        };
        if let Some(other) = live.iter().find(excludes) {
            broken.push(told("mutual exclusion", session, &[other]));
        } else if permits(&live, session) > limit(&live, session) {
            broken.push(told("permit limit", session, &live));
        }
        live.push(session);
    }
    broken
}

fn permits(live: &[&Session<'_>], session: &Session<'_>) -> u64 {
    live.iter().chain([&session]).map(|session| u64::from(session.request.permits)).sum()
}

fn limit(live: &[&Session<'_>], session: &Session<'_>) -> u64 {
    let limit = |session: &&&Session<'_>| match session.request.mode {
        Mode::Exclusive => None,
        Mode::Shared { limit } => limit.map(u64::from),
    };
    live.iter().chain([&session]).filter_map(|session| limit(&session)).min().unwrap_or(u64::MAX)
}

fn told(what: &str, session: &Session<'_>, others: &[&Session<'_>]) -> Broken {
    let until = others.iter().chain([&session]).map(|session| session.certain_until).min();
    let until = until.unwrap_or(session.certain_until);
    let name = |session: &&Session<'_>| format!("{} (token {})", session.lease, session.token);
    let names: Vec<String> = others.iter().chain([&session]).map(name).collect();
    let (key, from) = (session.key, session.since.1);
    let names = names.join(" and ");
    Broken {
        guarantee: Guarantee::G1,
        sentence: format!(
            "{what}: {names} certainly held {key:?} together in [{from} ns, {until} ns)"
        ),
        key: key.to_string(),
        operations: others.iter().chain([&session]).map(|session| session.grant.id).collect(),
    }
}
