//! G5: what nobody holds is not in the way, and what ended is not shown.

use super::facts::{Facts, Stretch};
use super::{Broken, Guarantee, Invariant};
use crate::history::{HeldReason, Mode, Operation, Outcome};

pub(super) const INVARIANT: Invariant = Invariant {
    guarantee: Guarantee::G5,
    name: "no orphan",
    promise: "an ended or abandoned request leaves nothing behind beyond its ttl",
    find,
};

fn find(facts: &Facts<'_>) -> Vec<Broken> {
    let latest = facts.taken.iter().map(|(key, taken)| (*key, latest_ends(taken))).collect();
    let mut broken = Vec::new();
    for op in facts.history.operations() {
        broken.extend(false_refusal(facts, &latest, op));
        broken.extend(stale_reading(facts, op));
    }
    broken
}

type Latest<'a> = std::collections::BTreeMap<&'a std::sync::Arc<str>, Vec<(u64, Stretch)>>;

/// For each prefix of the stretches (sorted by start) the one that may end last.
fn latest_ends(taken: &[Stretch]) -> Vec<(u64, Stretch)> {
    let mut last: Option<Stretch> = None;
    let mut ends = Vec::with_capacity(taken.len());
    for stretch in taken {
        let later = last.filter(|last| last.until >= stretch.until).unwrap_or(*stretch);
        last = Some(later);
        ends.push((stretch.from, later));
    }
    ends
}

/// Refused because of a lease, although none can have been live.
fn false_refusal(facts: &Facts<'_>, latest: &Latest<'_>, op: &Operation) -> Option<Broken> {
    let refused = matches!(op.outcome(), Some(Outcome::Held { reason: HeldReason::Lease }));
    let (request, returned) = (op.call.request()?, op.returned_at()?);
    let first_time = request.keys.iter().all(|key| facts.of(key, &request.lease).len() == 1);
    let limited =
        matches!(request.mode, Mode::Shared { limit: Some(limit) } if limit < request.permits);
    if limited || !refused || !facts.options.policy.honest_reasons || !first_time {
        return None;
    }
    let mut last: Option<Stretch> = None;
    for key in &request.keys {
        let Some(ends) = latest.get(key) else {
            continue;
        };
        let place = ends.partition_point(|(from, _)| *from <= returned.at_ns);
        let Some((_, stretch)) = place.checked_sub(1).map(|place| ends[place]) else {
            continue;
        };
        if stretch.until > op.invoked.at_ns {
            return None;
        }
        last = last.filter(|last| last.until >= stretch.until).or(Some(stretch));
    }
    let key = &request.keys[0];
    let (client, at) = (&op.client, op.invoked.at_ns);
    let ended = last.map_or_else(
        || "nobody ever had it".to_owned(),
        |last| format!("its last possible holder was gone by {} ns", last.until),
    );
    Some(Broken {
        guarantee: Guarantee::G5,
        sentence: format!("false busy: {client} was refused {key:?} at {at} ns, but {ended}"),
        key: key.to_string(),
        operations: last.iter().map(|last| last.op).chain([op.id]).collect(),
    })
}

/// A reading that shows a lease that has certainly ended.
fn stale_reading(facts: &Facts<'_>, op: &Operation) -> Option<Broken> {
    let Some(Outcome::State { leases, .. }) = op.outcome() else {
        return None;
    };
    let key = op.call.keys().first()?;
    let sessions = facts.sessions.get(key)?;
    for view in leases {
        let place = sessions.partition_point(|session| session.token < view.token);
        let session = sessions.get(place).filter(|session| session.token == view.token)?;
        let until = session.possible_until;
        if op.invoked.at_ns >= until {
            let lease = session.lease;
            return Some(Broken {
                guarantee: Guarantee::G5,
                sentence: format!("stale reading: {lease} on {key:?} had ended by {until} ns"),
                key: key.to_string(),
                operations: vec![session.grant.id, op.id],
            });
        }
    }
    None
}
