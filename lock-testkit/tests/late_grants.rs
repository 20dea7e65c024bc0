//! What a waiter on a server may do before it answers, and what it may not.
#![allow(clippy::unwrap_used, reason = "a test")]

use leasehold_testkit::{
    check::{
        differential::{Case, Compared, compare, random_history},
        lock::{Options, Verdict, check},
    },
    history::{Call, Effect, HeldReason, HistoryBuilder, LeaseRequest, LeaseView, OpId, Outcome},
    model::lock::Slack,
};

const TTL: u64 = 100;
const SLACK: u64 = 2;

/// A history on one key, written event by event.
#[derive(Default)]
struct Story(HistoryBuilder);

impl Story {
    fn wait(&mut self, at: u64, lease: &str) -> OpId {
        let request = LeaseRequest::exclusive(lease, "k", TTL);
        self.invoke(at, lease, Call::Acquire { request, deadline_ns: at + 10 * TTL })
    }

    fn invoke(&mut self, at: u64, client: &str, call: Call) -> OpId {
        self.0.invoke(at, client, call).unwrap()
    }

    fn answer(&mut self, at: u64, op: OpId, outcome: Outcome) {
        self.0.returned(at, op, outcome).unwrap();
    }

    fn granted(&mut self, at: u64, op: OpId, token: u64) {
        self.answer(at, op, Outcome::Granted { token, ttl_ns: TTL });
    }

    /// A reading that shows one lease, or none.
    fn look(&mut self, at: u64, token: Option<u64>, remaining_ns: Option<u64>) {
        let op = self.invoke(at, "looker", Call::Inspect { key: "k".into() });
        let view = |token| LeaseView { token, mode: None, remaining_ns };
        let leases = token.map(view).into_iter().collect();
        self.answer(at, op, Outcome::State { leases, waiters: None });
    }

    fn revoke(&mut self, at: u64, leases: usize) {
        let op = self.invoke(at, "admin", Call::Revoke { key: "k".into() });
        self.answer(at, op, Outcome::Revoked { leases });
    }

    fn enqueued(&mut self, at: u64, op: OpId) {
        self.0.enqueued(at, op).unwrap();
    }

    /// The verdicts in real and in virtual time.
    fn verdicts(self) -> (Verdict, Verdict) {
        let history = self.0.finish();
        let real = Slack { resolution_ns: SLACK, ..Slack::EXACT };
        let verdict = |slack| check(&history, &Options { slack, ..Options::default() }).verdict;
        (verdict(real), verdict(Slack::EXACT))
    }

    fn allowed_on_a_server_only(self) {
        let (real, exact) = self.verdicts();
        assert!(real.is_ok(), "{real:?}");
        assert!(exact.is_violation());
    }

    fn refused(self) {
        let (real, exact) = self.verdicts();
        assert!(real.is_violation() && exact.is_violation(), "{real:?}, {exact:?}");
    }
}

#[test]
fn a_grant_that_ran_out_unheard_comes_before_another() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    story.look(10, Some(1), None);
    story.granted(2 * TTL, waiter, 2);
    story.allowed_on_a_server_only();
}

#[test]
fn any_number_of_grants_may_be_lost_unheard() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    for token in 1..=4 {
        story.look(10 * token, Some(token), None);
        story.revoke(10 * token + 1, 1);
    }
    story.granted(50, waiter, 5);
    story.allowed_on_a_server_only();
}

#[test]
fn a_grant_must_be_over_before_the_next() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    story.look(10, Some(1), None);
    story.granted(TTL / 2, waiter, 2);
    story.refused();
}

#[test]
fn tokens_grow_over_unheard_grants_too() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    story.look(10, Some(3), None);
    story.revoke(20, 1);
    story.granted(50, waiter, 2);
    story.refused();
}

#[test]
fn nobody_else_is_granted_beside_an_unheard_grant() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    story.look(10, Some(1), None);
    let other = Call::TryAcquire(LeaseRequest::exclusive("o", "k", TTL));
    let other = story.invoke(20, "o", other);
    story.granted(21, other, 2);
    story.granted(300, waiter, 3);
    story.refused();
}

#[test]
fn a_wait_that_timed_out_may_have_lost_several_grants() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    story.look(10, Some(1), None);
    story.revoke(20, 1);
    story.look(30, Some(2), None);
    story.look(31, Some(2), None);
    story.revoke(40, 1);
    story.answer(300, waiter, Outcome::TimedOut);
    story.allowed_on_a_server_only();
}

#[test]
fn a_lease_may_be_extended_until_its_grant_is_answered() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    story.look(10, Some(1), Some(TTL - 5));
    story.look(60, Some(1), Some(TTL - 5));
    story.granted(60, waiter, 1);
    story.look(60 + TTL, None, None);
    story.allowed_on_a_server_only();
}

#[test]
fn a_lease_is_not_extended_after_its_grant_was_answered() {
    let mut story = Story::default();
    let waiter = story.wait(0, "w");
    story.granted(10, waiter, 1);
    story.look(10 + TTL + SLACK, Some(1), None);
    story.refused();
}

#[test]
fn who_loses_a_grant_loses_its_place() {
    let barging = |seen: bool| {
        let mut story = Story::default();
        let holder = Call::TryAcquire(LeaseRequest::exclusive("h", "k", TTL));
        let holder = story.invoke(0, "h", holder);
        story.granted(0, holder, 1);
        let first = story.wait(1, "first");
        story.enqueued(2, first);
        let second = story.wait(3, "second");
        story.enqueued(4, second);
        story.revoke(10, 1);
        if seen {
            story.look(20, Some(2), None);
            story.revoke(30, 1);
        }
        story.granted(40, second, 3);
        story.revoke(50, 1);
        story.granted(60, first, 4);
        story.verdicts().0
    };
    assert!(barging(true).is_ok());
    assert!(barging(false).is_violation(), "nothing was granted that could be lost");
}

/// The random histories that compare the checkers have such grants: else comparing would show nothing.
#[test]
fn random_histories_of_servers_have_late_grants() {
    let only_on_a_server = |seed: &u64| {
        let case = random_history(*seed, 7);
        // The same slack, but without anybody who waits in a queue.
        let tried = case.history.map(|op| {
            if let (Call::Acquire { request, .. }, Some(Outcome::Granted { .. })) =
                (&op.call, op.returned.as_ref().map(|(_, outcome)| outcome))
            {
                op.call = Call::TryAcquire(request.clone());
            }
        });
        let allowed = |history| check(history, &case.options).verdict.is_ok();
        !case.options.slack.is_exact() && allowed(&case.history) && !allowed(&tried)
    };
    let found = (0..4_000).filter(only_on_a_server).count();
    assert!(found >= 10, "{found}");
}

#[test]
fn what_a_wait_was_granted_unheard_may_have_run_out_when_it_ends() {
    let mut history = HistoryBuilder::new();
    let request = LeaseRequest::exclusive("c2.1", "k", 3);
    let wait = Call::Acquire { request, deadline_ns: 5 };
    let refused = Call::TryAcquire(LeaseRequest::exclusive("c1.1", "k", 4));
    let (wait, refused) =
        (history.invoke(1, "c2", wait).unwrap(), history.invoke(1, "c1", refused).unwrap());
    history.returned(5, wait, Outcome::Error { effect: Effect::None, kind: None }).unwrap();
    history.returned(5, refused, Outcome::Held { reason: HeldReason::Lease }).unwrap();
    let slack = Slack { jitter_ns: 1, ..Slack::EXACT };
    let options = Options { slack, ..Options::default() };
    let case = Case { history: history.finish(), options, corrupted: true };
    let all = Some(true);
    assert_eq!(compare(&case, true), Compared { brute: all, lock: all, linear: all });
}
