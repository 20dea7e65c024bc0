//! The invariants, over what anybody can see of a key.

use std::collections::{BTreeMap, BTreeSet};

use leasehold::{
    Extension, FencingToken, KeyState, LeaseId, LeaseInfo, Mode, Release, Timestamp, TryAcquire,
};
use leasehold_memory::state::{Operation, Outcome, Turn};

/// One operation, and what it did.
pub(super) struct Seen<'a> {
    pub(super) now: Timestamp,
    pub(super) operation: &'a Operation,
    pub(super) outcome: Outcome,
    /// Who was granted, waiters and the operation's own request alike.
    pub(super) grants: BTreeMap<FencingToken, LeaseId>,
    pub(super) before: KeyState,
    pub(super) after: KeyState,
}

/// What happened so far.
#[derive(Default)]
pub(super) struct Watch {
    /// The greatest token yet.
    last: Option<FencingToken>,
    /// The last token of each id.
    granted: BTreeMap<LeaseId, FencingToken>,
    /// Ids that were released or given up: never granted again.
    given_up: BTreeSet<LeaseId>,
    /// Who waits, and until when.
    queue: Vec<(LeaseId, Timestamp)>,
    /// Whose deadline passed while nobody asked for them: their processes died.
    abandoned: BTreeSet<LeaseId>,
}

impl Watch {
    pub(super) fn check(&mut self, seen: &Seen<'_>) {
        let Seen { now, operation, outcome, before, after, .. } = seen;
        let late = self.queue.extract_if(.., |(_, deadline)| *deadline < *now);
        self.abandoned.extend(late.map(|(id, _)| id));
        exclusion(after);
        if let Some(gone) = gives_up(operation, outcome) {
            self.queue.retain(|(waiter, _)| *waiter != gone);
        }
        self.grants(&seen.grants);
        match (operation, outcome) {
            (Operation::Inspect, _) => assert_eq!(before, after, "a look changed the key"),
            (Operation::Tick, _) => nobody_waits_for_nothing(after),
            (Operation::Extend { id, .. }, Outcome::Extend(answer)) => {
                self.extension(*id, *answer, before, after);
            }
            (Operation::Release { id }, Outcome::Release(answer)) => {
                self.release(*id, *answer, before, after);
            }
            (Operation::Acquire { request, deadline }, Outcome::Acquire(Ok(Turn::Waiting)))
                if self.queue.iter().all(|(id, _)| *id != request.id()) =>
            {
                self.queue.push((request.id(), *deadline));
            }
            _ => {}
        }
        if let Some(gone) = gives_up(operation, outcome) {
            self.given_up.insert(gone);
            assert!(self.held_by(gone, after).is_none(), "G5: who is gone holds");
            assert_eq!(after.waiters.len(), self.queue.len(), "G5: who is gone waits");
        }
    }

    /// Whether the operation asks for an id whose process died; nobody is there to ask.
    pub(super) fn is_abandoned(&self, operation: &Operation) -> bool {
        match operation {
            Operation::TryAcquire(request) | Operation::Acquire { request, .. } => {
                self.abandoned.contains(&request.id())
            }
            _ => false,
        }
    }

    /// New tokens grow (G2), none goes to an id that was given up (G5), and those who wait are served in their
    /// order, before anybody else (G6).
    fn grants(&mut self, grants: &BTreeMap<FencingToken, LeaseId>) {
        for (token, id) in grants {
            if self.granted.get(id) == Some(token) {
                continue; // the same request again
            }
            assert!(!self.given_up.contains(id), "G5: an id that was given up was granted");
            assert!(self.last < Some(*token), "G2: {token} after {:?}", self.last);
            let first = self.queue.first().map(|(first, _)| first);
            assert!(first.is_none_or(|first| first == id), "G6: {id} was granted before {first:?}");
            if first.is_some() {
                self.queue.remove(0);
            }
            self.last = Some(*token);
            self.granted.insert(*id, *token);
        }
    }

    /// The lease of this id, found by its token; one that was given back under a minimum hold is nobody's.
    fn held_by<'a>(&self, id: LeaseId, state: &'a KeyState) -> Option<&'a LeaseInfo> {
        let token = self.granted.get(&id)?;
        state.leases.iter().find(|lease| lease.token == *token && !lease.released)
    }

    fn extension(&self, id: LeaseId, answer: Extension, before: &KeyState, after: &KeyState) {
        let held = self.held_by(id, before);
        assert_eq!(answer == Extension::Extended, held.is_some(), "G4: extended what was not held");
        if let Some(held) = held {
            let extended = self.held_by(id, after).map(|lease| lease.remaining);
            assert!(extended >= Some(held.remaining), "G3: an extension shortened");
        }
        others_are_untouched(held, before, after);
    }

    fn release(&self, id: LeaseId, answer: Release, before: &KeyState, after: &KeyState) {
        let held = self.held_by(id, before);
        assert_eq!(answer == Release::Released, held.is_some(), "G4: released what was not held");
        others_are_untouched(held, before, after);
    }
}

/// The token that the operation's own request was granted with.
pub(super) fn own_grant(
    operation: &Operation,
    outcome: &Outcome,
) -> Option<(FencingToken, LeaseId)> {
    match (operation, outcome) {
        (Operation::TryAcquire(request), Outcome::TryAcquire(Ok(TryAcquire::Granted(grant))))
        | (Operation::Acquire { request, .. }, Outcome::Acquire(Ok(Turn::Granted(grant)))) => {
            Some((grant.token, request.id()))
        }
        _ => None,
    }
}

/// The id that the operation puts an end to.
fn gives_up(operation: &Operation, outcome: &Outcome) -> Option<LeaseId> {
    match (operation, outcome) {
        (Operation::Release { id } | Operation::Leave { id }, _) => Some(*id),
        (Operation::Acquire { request, .. }, Outcome::Acquire(Ok(Turn::TimedOut(_)))) => {
            Some(request.id())
        }
        _ => None,
    }
}

/// G1: no exclusive lease beside another, and no more permits than any limit.
fn exclusion(state: &KeyState) {
    let permits = permits(state);
    for lease in &state.leases {
        let fits = match lease.mode {
            Mode::Exclusive => state.leases.len() == 1,
            Mode::Shared { limit } => limit.allows(permits),
        };
        assert!(fits, "G1: {:?}", state.leases);
        assert!(!lease.remaining.is_zero(), "G1: live at its end: {lease:?}");
    }
}

/// G7: once time has been taken note of, the first waiter does not fit.
fn nobody_waits_for_nothing(state: &KeyState) {
    let Some(first) = state.waiters.first() else {
        return;
    };
    let permits = permits(state) + u64::from(first.permits);
    let fits = |mode: Mode| match mode {
        Mode::Exclusive => false,
        Mode::Shared { limit } => limit.allows(permits),
    };
    let open = state.leases.is_empty()
        || (fits(first.mode) && state.leases.iter().all(|lease| fits(lease.mode)));
    assert!(!open, "G7: {first:?} waits for nothing");
}

fn permits(state: &KeyState) -> u64 {
    state.leases.iter().map(|lease| u64::from(lease.permits)).sum()
}

/// G4: every lease but this one is as it was.
fn others_are_untouched(own: Option<&LeaseInfo>, before: &KeyState, after: &KeyState) {
    let own = own.map(|lease| lease.token);
    for lease in before.leases.iter().filter(|lease| Some(lease.token) != own) {
        assert!(after.leases.contains(lease), "G4: {lease:?} was touched");
    }
}
