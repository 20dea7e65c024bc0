//! A sound history and one change that breaks each invariant.

use super::*;
use crate::check::differential::random_history;
use crate::check::lock;
use crate::history::{Call, HeldReason, HistoryBuilder, LeaseRequest, Mode, Outcome};

/// A history of instant operations: `(time, client, call, outcome)`.
fn told(rows: &[(u64, &str, Call, Outcome)]) -> History {
    let mut builder = HistoryBuilder::new();
    for (at, client, call, outcome) in rows {
        let op = builder.invoke(*at, *client, call.clone()).unwrap();
        builder.returned(*at, op, outcome.clone()).unwrap();
    }
    builder.finish()
}

fn acquire(lease: &str) -> Call {
    Call::TryAcquire(LeaseRequest::exclusive(lease, "k", 10))
}

fn granted(token: u64) -> Outcome {
    Outcome::Granted { token, ttl_ns: 10 }
}

fn extend(lease: &str) -> Call {
    Call::Extend { lease: lease.into(), key: "k".into(), ttl_ns: 10 }
}

fn release(lease: &str) -> Call {
    Call::Release { lease: lease.into(), key: "k".into() }
}

/// The guarantees that a history breaks; the full checker must refuse it too, unless it is about
/// liveness.
fn guarantees(history: &History) -> Vec<Guarantee> {
    let bounds = Bounds { wake_within_ns: Some(3) };
    let found: Vec<Guarantee> = broken(history, &Options::default(), bounds)
        .iter()
        .map(|broken| broken.guarantee)
        .collect();
    let verdict = lock::check(history, &Options::default()).verdict;
    let expected = found.iter().any(|guarantee| *guarantee != Guarantee::G7);
    assert_eq!(verdict.is_violation(), expected, "{found:?} {verdict:?}");
    found
}

#[test]
fn g1_two_exclusive_leases_live_together() {
    let sound = [(0, "c1", acquire("a"), granted(1)), (10, "c2", acquire("b"), granted(2))];
    assert!(guarantees(&told(&sound)).is_empty());
    let mut early = sound;
    early[1].0 = 9;
    assert_eq!(guarantees(&told(&early)), [Guarantee::G1]);
}

#[test]
fn g1_more_permits_than_the_limit() {
    let permit = |lease: &str| {
        let mode = Mode::Shared { limit: Some(2) };
        Call::TryAcquire(LeaseRequest { mode, ..LeaseRequest::exclusive(lease, "k", 10) })
    };
    let mut rows = vec![(0, "c1", permit("a"), granted(1)), (0, "c2", permit("b"), granted(2))];
    assert!(guarantees(&told(&rows)).is_empty());
    rows.push((1, "c3", permit("c"), granted(3)));
    assert_eq!(guarantees(&told(&rows)), [Guarantee::G1]);
}

#[test]
fn g2_a_token_twice_or_smaller() {
    for (token, fine) in [(6, true), (5, false), (4, false)] {
        let rows = [(0, "c1", acquire("a"), granted(5)), (10, "c2", acquire("b"), granted(token))];
        let found = guarantees(&told(&rows));
        assert_eq!(found.is_empty(), fine);
        assert!(found.iter().all(|guarantee| *guarantee == Guarantee::G2));
    }
}

#[test]
fn g3_a_lease_lost_before_its_end() {
    for (at, fine) in [(10, true), (9, false)] {
        let rows = [(0, "c1", acquire("a"), granted(1)), (at, "c1", extend("a"), Outcome::Lost)];
        assert_eq!(guarantees(&told(&rows)).is_empty(), fine);
        let empty = Outcome::State { leases: Vec::new(), waiters: None };
        let read = Call::Inspect { key: "k".into() };
        let rows = [(0, "c1", acquire("a"), granted(1)), (at, "c2", read, empty)];
        assert_eq!(guarantees(&told(&rows)).first(), (!fine).then_some(&Guarantee::G3));
    }
}

#[test]
fn g4_success_without_a_lease() {
    for (at, fine) in [(9, true), (10, false)] {
        let rows =
            [(0, "c1", acquire("a"), granted(1)), (at, "c1", extend("a"), Outcome::Extended)];
        assert_eq!(guarantees(&told(&rows)).first(), (!fine).then_some(&Guarantee::G4));
    }
    let foreign = [(0, "c1", acquire("a"), granted(1)), (1, "c2", release("b"), Outcome::Released)];
    assert_eq!(guarantees(&told(&foreign)), [Guarantee::G4]);
}

#[test]
fn g5_refused_by_nobody() {
    let held = || Outcome::Held { reason: HeldReason::Lease };
    for (at, fine) in [(9, true), (10, false)] {
        let rows = [(0, "c1", acquire("a"), granted(1)), (at, "c2", acquire("b"), held())];
        assert_eq!(guarantees(&told(&rows)).first(), (!fine).then_some(&Guarantee::G5));
    }
    let view = crate::history::LeaseView { token: 1, mode: None, remaining_ns: None };
    let shown = Outcome::State { leases: vec![view], waiters: None };
    let read = Call::Inspect { key: "k".into() };
    let rows = [
        (0, "c1", acquire("a"), granted(1)),
        (1, "c1", release("a"), Outcome::Released),
        (2, "c2", read, shown),
    ];
    assert_eq!(guarantees(&told(&rows)), [Guarantee::G5]);
}

/// c1 holds from 0 on and releases at 5; c2 and c3 wait.
fn queue(first: &str, woken: [u64; 2]) -> History {
    let wait = |lease: &str| Call::Acquire {
        request: LeaseRequest::exclusive(lease, "k", 10),
        deadline_ns: 100,
    };
    let mut builder = HistoryBuilder::new();
    let holder = builder.invoke(0, "c1", acquire("a")).unwrap();
    builder.returned(0, holder, granted(1)).unwrap();
    let mut waiters = Vec::new();
    for (client, lease) in [("c2", "b"), ("c3", "c")] {
        let op = builder.invoke(1, client, wait(lease)).unwrap();
        builder.enqueued(1, op).unwrap();
        waiters.push(op);
    }
    let release_a = builder.invoke(5, "c1", release("a")).unwrap();
    builder.returned(5, release_a, Outcome::Released).unwrap();
    let order = if first == "c2" { [0, 1] } else { [1, 0] };
    for (token, (waiter, at)) in (2..).zip(order.into_iter().zip(woken)) {
        builder.returned(at, waiters[waiter], granted(token)).unwrap();
        let release = builder.invoke(at, "c", release(["b", "c"][waiter])).unwrap();
        builder.returned(at, release, Outcome::Released).unwrap();
    }
    builder.finish()
}

#[test]
fn g6_the_second_waiter_comes_first() {
    assert!(guarantees(&queue("c2", [5, 6])).is_empty());
    assert_eq!(guarantees(&queue("c3", [5, 6])), [Guarantee::G6]);
}

#[test]
fn g7_a_free_key_and_a_waiter_asleep() {
    assert!(guarantees(&queue("c2", [8, 9])).is_empty());
    assert!(guarantees(&queue("c2", [12, 13])).contains(&Guarantee::G7));
}

#[test]
fn g8_refused_and_yet_granted() {
    let rows = |outcome| {
        [
            (0, "c1", acquire("a"), granted(1)),
            (1, "c2", acquire("b"), outcome),
            (11, "c2", extend("b"), Outcome::Extended),
        ]
    };
    let held = Outcome::Held { reason: HeldReason::Lease };
    assert_eq!(guarantees(&told(&rows(held))), [Guarantee::G8]);
    let none = Outcome::Error { effect: crate::history::Effect::None, kind: None };
    assert_eq!(guarantees(&told(&rows(none))), [Guarantee::G8]);
}

#[test]
fn what_the_checker_allows_breaks_no_invariant() {
    let mut allowed = 0;
    for seed in 0..20_000 {
        let case = random_history(seed, 9);
        if lock::check(&case.history, &case.options).verdict.is_ok() {
            allowed += 1;
            let found = broken(&case.history, &case.options, Bounds::default());
            assert!(found.is_empty(), "seed {seed}: {found:?}");
        }
    }
    assert!(allowed > 10_000, "{allowed}");
}

#[test]
fn g5_a_lease_that_nobody_saw_granted_lives_on_when_it_is_extended() {
    let mut builder = HistoryBuilder::new();
    let dropped = builder.invoke(0, "c1", acquire("a")).unwrap();
    builder.settled(1, dropped).unwrap();
    let held = Outcome::Held { reason: HeldReason::Lease };
    for (at, client, call, outcome) in
        [(5, "c1", extend("a"), Outcome::Extended), (12, "c2", acquire("b"), held)]
    {
        let op = builder.invoke(at, client, call).unwrap();
        builder.returned(at, op, outcome).unwrap();
    }
    assert!(guarantees(&builder.finish()).is_empty());
}

#[test]
fn g8_a_wait_that_was_released_while_it_was_under_way_may_have_been_granted() {
    let history = |release_at| {
        let mut builder = HistoryBuilder::new();
        let call = Call::Acquire { request: LeaseRequest::exclusive("a", "k", 10), deadline_ns: 9 };
        let wait = builder.invoke(0, "c1", call).unwrap();
        let none = Outcome::Error { effect: crate::history::Effect::None, kind: None };
        if release_at > 5 {
            builder.returned(5, wait, none.clone()).unwrap();
        }
        let op = builder.invoke(release_at, "c2", release("a")).unwrap();
        builder.returned(release_at, op, Outcome::Released).unwrap();
        if release_at <= 5 {
            builder.returned(5, wait, none).unwrap();
        }
        builder.finish()
    };
    let found = |history: &History| broken(history, &Options::default(), Bounds::default());
    assert!(found(&history(3)).is_empty());
    assert_eq!(found(&history(6))[0].guarantee, Guarantee::G8);
}
