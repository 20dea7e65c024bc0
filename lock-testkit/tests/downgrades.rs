//! What a history may say of a writer that becomes a reader.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

use leasehold_testkit::{
    check::{
        invariants::{Bounds, broken},
        lock::{Options, Verdict, check},
    },
    history::{Call, HeldReason, History, HistoryBuilder, LeaseRequest, LeaseView, Mode, Outcome},
};

const READ: Mode = Mode::Shared { limit: None };

fn acquire(lease: &str, mode: Mode) -> Call {
    Call::TryAcquire(LeaseRequest { mode, ..LeaseRequest::exclusive(lease, "k", 100) })
}

fn downgrade(lease: &str) -> Call {
    Call::Downgrade { lease: lease.into(), key: "k".into() }
}

const fn granted(token: u64) -> Outcome {
    Outcome::Granted { token, ttl_ns: 100 }
}

/// One call after the other, each in an instant of its own; `None` is an unknown effect.
fn history(calls: &[(u64, Call, Option<Outcome>)]) -> History {
    let mut builder = HistoryBuilder::new();
    for (at, call, outcome) in calls {
        let op = builder.invoke(*at, "c", call.clone()).unwrap();
        let answer = outcome.clone().unwrap_or_else(Outcome::unknown);
        builder.returned(*at, op, answer).unwrap();
        if outcome.is_none() {
            builder.settled(*at + 1, op).unwrap();
        }
    }
    builder.finish()
}

fn is_allowed(calls: &[(u64, Call, Option<Outcome>)]) -> bool {
    let history = history(calls);
    let allowed = check(&history, &Options::default()).verdict == Verdict::Ok;
    let found = broken(&history, &Options::default(), Bounds::default());
    assert!(!allowed || found.is_empty(), "the guarantees refuse what the model allows: {found:?}");
    allowed
}

#[test]
fn a_downgraded_writer_is_beside_readers_and_never_beside_a_writer() {
    let held = Outcome::Held { reason: HeldReason::Lease };
    let begin = [
        (1, acquire("a", Mode::Exclusive), Some(granted(1))),
        (2, acquire("b", READ), Some(held.clone())),
        (3, downgrade("a"), Some(Outcome::Downgraded)),
    ];
    let then = |call: Call, outcome: Outcome| {
        let mut calls = begin.to_vec();
        calls.push((4, call, Some(outcome)));
        is_allowed(&calls)
    };
    assert!(then(acquire("b", READ), granted(2)));
    assert!(!then(acquire("b", READ), held.clone()));
    assert!(then(acquire("b", Mode::Exclusive), held));
    assert!(!then(acquire("b", Mode::Exclusive), granted(2)));
    assert!(then(downgrade("a"), Outcome::Downgraded));
    assert!(!then(downgrade("a"), Outcome::Lost));
    // The same id again is asked for as what it is now.
    assert!(then(acquire("a", READ), granted(1)));
    assert!(!then(acquire("a", Mode::Exclusive), granted(1)));
    let shown = |mode, remaining_ns| {
        let view = LeaseView { token: 1, mode: Some(mode), remaining_ns: Some(remaining_ns) };
        Outcome::State { leases: vec![view], waiters: None }
    };
    let look = || Call::Inspect { key: "k".into() };
    assert!(then(look(), shown(READ, 97)));
    assert!(!then(look(), shown(Mode::Exclusive, 97)));
    assert!(!then(look(), shown(READ, 100)), "its end moved");
}

#[test]
fn only_what_lives_and_reads_or_writes_alone_is_downgraded() {
    let (down, lost) = (Some(Outcome::Downgraded), Some(Outcome::Lost));
    let first = |mode| (1, acquire("a", mode), Some(granted(1)));
    let write = || first(Mode::Exclusive);
    assert!(is_allowed(&[write(), (100, downgrade("a"), down.clone())]));
    assert!(!is_allowed(&[write(), (101, downgrade("a"), down.clone())]), "at its end");
    assert!(is_allowed(&[write(), (101, downgrade("a"), lost.clone())]));
    assert!(!is_allowed(&[write(), (2, downgrade("b"), down.clone())]));
    assert!(is_allowed(&[write(), (2, downgrade("b"), lost.clone())]));
    assert!(is_allowed(&[first(READ), (2, downgrade("a"), down.clone())]));
    let permits = first(Mode::Shared { limit: Some(3) });
    assert!(!is_allowed(&[permits.clone(), (2, downgrade("a"), down)]));
    assert!(!is_allowed(&[permits, (2, downgrade("a"), lost)]));
}

#[test]
fn a_downgrade_of_unknown_effect_may_have_happened_until_it_is_settled() {
    let write = (1, acquire("a", Mode::Exclusive), Some(granted(1)));
    let read = |at| (at, acquire("b", READ), Some(granted(2)));
    let held = |at| (at, acquire("b", READ), Some(Outcome::Held { reason: HeldReason::Lease }));
    let unknown = (2, downgrade("a"), None);
    assert!(is_allowed(&[write.clone(), unknown.clone(), read(5)]));
    assert!(is_allowed(&[write.clone(), unknown.clone(), held(5)]));
    assert!(!is_allowed(&[write.clone(), unknown, held(5), read(6)]), "it came too late");
    assert!(!is_allowed(&[write, read(5)]));
}

#[test]
fn a_history_with_downgrades_is_read_as_it_was_written() {
    let history = history(&[
        (1, acquire("a", Mode::Exclusive), Some(granted(1))),
        (2, downgrade("a"), Some(Outcome::Downgraded)),
    ]);
    let mut text = Vec::new();
    history.write_to(&mut text).unwrap();
    assert!(String::from_utf8_lossy(&text).contains(r#""invoke":{"downgrade":{"lease":"a","#));
    assert_eq!(History::read_from(text.as_slice()).unwrap(), history);
}
