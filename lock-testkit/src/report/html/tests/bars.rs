//! Leases as bars: what the answers say of their ends.

use crate::history::{Call, HistoryBuilder, LeaseRequest, Mode, OpId, Outcome};
use crate::model::lock::Slack;
use crate::report::html::leases::{End, LeaseBar, lease_bars};

/// A history made of `(asked, answered, call, outcome)`, by one client.
fn bars(said: Vec<(u64, u64, Call, Outcome)>, slack: Slack) -> Vec<LeaseBar> {
    let mut builder = HistoryBuilder::new();
    for (asked, answered, call, outcome) in said {
        let op = builder.invoke(asked, "c1", call).unwrap();
        builder.returned(answered, op, outcome).unwrap();
    }
    lease_bars(&builder.finish(), slack)
}

fn take(ttl_ns: u64) -> Call {
    Call::TryAcquire(LeaseRequest::exclusive("c1.1", "k", ttl_ns))
}

fn granted(ttl_ns: u64) -> Outcome {
    Outcome::Granted { token: 7, ttl_ns }
}

fn extend(ttl_ns: u64) -> Call {
    Call::Extend { lease: "c1.1".into(), key: "k".into(), ttl_ns }
}

fn release() -> Call {
    Call::Release { lease: "c1.1".into(), key: "k".into() }
}

fn revoke() -> Call {
    Call::Revoke { key: "k".into() }
}

/// From, surely until, possibly until, and the end.
fn short(bar: &LeaseBar) -> (u64, u64, u64, End) {
    (bar.from_ns, bar.surely_ns, bar.possibly_ns, bar.end)
}

fn one(said: Vec<(u64, u64, Call, Outcome)>) -> (u64, u64, u64, End) {
    let bars = bars(said, Slack::EXACT);
    assert_eq!(bars.len(), 1);
    short(&bars[0])
}

#[test]
fn a_lease_ends_a_ttl_after_request_or_answer_and_the_slack_later() {
    let said = || vec![(10, 14, take(100), granted(100))];
    assert_eq!(one(said()), (14, 110, 114, End::Expired));
    let late = Slack { resolution_ns: 30, ..Slack::EXACT };
    assert_eq!(short(&bars(said(), late)[0]), (14, 110, 144, End::Expired));
}

#[test]
fn a_refresh_moves_the_end_and_never_back() {
    let grant = || (0, 2, take(100), granted(100));
    assert_eq!(
        one(vec![grant(), (50, 53, extend(100), Outcome::Extended)]),
        (2, 150, 153, End::Expired)
    );
    assert_eq!(
        one(vec![grant(), (50, 53, extend(10), Outcome::Extended)]),
        (2, 100, 102, End::Expired)
    );
    assert_eq!(
        one(vec![grant(), (50, 53, extend(100), Outcome::Lost)]),
        (2, 100, 102, End::Expired)
    );
    assert_eq!(one(vec![grant(), (60, 61, take(100), granted(100))]), (2, 160, 161, End::Expired));
}

#[test]
fn a_release_ends_a_lease_between_request_and_answer() {
    let grant = || (0, 2, take(100), granted(100));
    assert_eq!(
        one(vec![grant(), (50, 53, release(), Outcome::Released)]),
        (2, 50, 53, End::Released)
    );
    assert_eq!(
        one(vec![grant(), (500, 503, release(), Outcome::NotHeld)]),
        (2, 100, 102, End::Expired)
    );
    assert_eq!(
        one(vec![grant(), (50, 53, release(), Outcome::unknown())]),
        (2, 50, 102, End::Unknown)
    );
}

#[test]
fn a_revocation_ends_every_lease_of_its_key_alone() {
    let other = |key: &str, lease: &str| {
        let mode = Mode::Shared { limit: None };
        Call::TryAcquire(LeaseRequest { mode, ..LeaseRequest::exclusive(lease, key, 100) })
    };
    let said = vec![
        (0, 0, other("k", "c1.1"), granted(100)),
        (0, 0, other("k", "c1.2"), granted(100)),
        (0, 0, other("kk", "c1.3"), granted(100)),
        (0, 0, other("j", "c1.4"), granted(100)),
        (20, 30, revoke(), Outcome::Revoked { leases: 2 }),
    ];
    let ends: Vec<End> = bars(said, Slack::EXACT).iter().map(|bar| bar.end).collect();
    assert_eq!(ends, [End::Revoked, End::Revoked, End::Expired, End::Expired]);
}

#[test]
fn a_minimum_hold_keeps_the_key_after_the_release() {
    let hold = |min_hold_ns| {
        let request = LeaseRequest { min_hold_ns, ..LeaseRequest::exclusive("c1.1", "k", 100) };
        let grant = (10, 12, Call::TryAcquire(request), granted(100));
        one(vec![grant, (20, 21, release(), Outcome::Released)])
    };
    assert_eq!(hold(60), (12, 70, 72, End::Held));
    assert_eq!(hold(5), (12, 20, 21, End::Released));
}

#[test]
fn an_extension_of_unknown_effect_only_adds_doubt() {
    let grant = (0, 2, take(100), granted(100));
    assert_eq!(
        one(vec![grant, (50, 60, extend(200), Outcome::unknown())]),
        (2, 100, 302, End::Expired)
    );
}

#[test]
fn a_request_for_two_keys_is_two_bars_and_each_names_what_was_asked_of_it() {
    let request = LeaseRequest {
        keys: vec!["j".into(), "k".into()],
        ..LeaseRequest::exclusive("c1.1", "k", 100)
    };
    let said = vec![
        (0, 1, Call::TryAcquire(request), granted(100)),
        (5, 6, extend(100), Outcome::Extended),
        (7, 8, release(), Outcome::Released),
        (9, 9, release(), Outcome::NotHeld),
    ];
    let bars = bars(said, Slack::EXACT);
    let more: Vec<(&str, &[usize])> = bars.iter().map(|bar| (&*bar.key, &*bar.more)).collect();
    assert_eq!(more, [("j", &[][..]), ("k", &[1, 2][..])]);
    assert_eq!(OpId(bars[0].op), OpId(0));
}

#[test]
fn an_acquire_whose_effect_is_unknown_is_no_bar() {
    assert_eq!(bars(vec![(0, 1, take(100), Outcome::unknown())], Slack::EXACT), []);
}
