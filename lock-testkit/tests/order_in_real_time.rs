//! First come, first served, on real time: judged by what readings show of the queue.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::sync::Arc;

use leasehold::{LockBackend, Runtime};
use leasehold_testkit::{
    broken::{BrokenBackend, Bug},
    check::lock::{Options, check},
    generate::{Criteria, Finding, Profile, Program, Ran, generate, in_real_time},
    history::{Call, HistoryBuilder, LeaseRequest, OpId, Outcome},
    model::lock::Slack,
};

/// What the recorder and a backend of this process may disagree by: nothing but rounding.
const SLACK: Slack = Slack { rate_ppm: 500, jitter_ns: 200_000, resolution_ns: 1_000 };

fn criteria() -> Criteria {
    Criteria { options: Options { slack: SLACK, ..Options::default() }, ..Criteria::default() }
}

async fn run(program: &Program, start: impl Fn(Runtime) -> BrokenBackend) -> Ran {
    let runtime = Runtime::tokio();
    let backend: Arc<dyn LockBackend> = Arc::new(start(runtime.clone()));
    let history = in_real_time(program, &runtime, &[backend], "").await.unwrap();
    criteria().judge(history)
}

fn last_come(runtime: Runtime) -> BrokenBackend {
    BrokenBackend::with_bug(Bug::LastComeFirstServed, runtime)
}

/// The second waiter comes when the first has been seen in the queue. Nothing but the order is wrong.
const TWO_WAIT: &str = "try a x 900ms; +90ms release 1 \
    | +30ms wait a x 900ms 2000ms; release 2 | +60ms look a; wait a x 900ms 2000ms; release 3";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serving_the_last_first_is_found_out_by_what_a_reading_showed() {
    let program: Program = TWO_WAIT.parse().unwrap();
    let ran = run(&program, last_come).await;
    assert!(matches!(ran.finding, Some(Finding::Violation(_))), "{:?}", ran.finding);
    assert_eq!(run(&program, BrokenBackend::correct).await.finding, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_programs_find_it_and_leave_the_correct_one_alone() {
    let programs: Vec<Program> = (0..160).map(|seed| generate(Profile::Real, seed)).collect();
    let judged = |start: fn(Runtime) -> BrokenBackend| {
        let runs = programs.iter().map(move |program| run(program, start));
        futures::future::join_all(runs)
    };
    let caught = judged(last_come).await.iter().filter(|ran| ran.finding.is_some()).count();
    assert!(caught > 0);
    for (ran, program) in judged(BrokenBackend::correct).await.iter().zip(&programs) {
        assert_eq!(ran.finding, None, "{program}");
    }
}

const TTL: u64 = 1_000_000_000;

fn wait(builder: &mut HistoryBuilder, at: u64, lease: &str) -> OpId {
    let request = LeaseRequest::exclusive(lease, "k", TTL);
    builder.invoke(at, lease, Call::Acquire { request, deadline_ns: 10 * TTL }).unwrap()
}

/// A holder, a waiter, a reading that counts `count`, a second waiter who is served first.
fn second_is_served_first(count: usize, third: bool) -> HistoryBuilder {
    let mut builder = HistoryBuilder::new();
    let holder = LeaseRequest::exclusive("h", "k", TTL);
    let holder = builder.invoke(0, "h", Call::TryAcquire(holder)).unwrap();
    builder.returned(0, holder, Outcome::Granted { token: 1, ttl_ns: TTL }).unwrap();
    let first = wait(&mut builder, 10, "first");
    if third {
        wait(&mut builder, 10, "third");
    }
    let look = builder.invoke(20, "l", Call::Inspect { key: "k".into() }).unwrap();
    let view =
        |token| leasehold_testkit::history::LeaseView { token, mode: None, remaining_ns: None };
    let state = Outcome::State { leases: vec![view(1)], waiters: Some(count) };
    builder.returned(21, look, state).unwrap();
    let second = wait(&mut builder, 30, "second");
    for (at, lease, next, token) in [(40, "h", second, 2), (50, "second", first, 3)] {
        let release = Call::Release { lease: lease.into(), key: "k".into() };
        let release = builder.invoke(at, lease, release).unwrap();
        builder.returned(at, release, Outcome::Released).unwrap();
        builder.returned(at + 1, next, Outcome::Granted { token, ttl_ns: TTL }).unwrap();
    }
    builder
}

#[test]
fn a_reading_proves_a_place_only_if_nobody_else_can_have_been_counted() {
    let verdict = |count, third| {
        let history = second_is_served_first(count, third).finish();
        let options = criteria().options;
        assert!(check(&history, &options).verdict.is_ok(), "without the reading nobody knows");
        check(&history.with_seen_waiters(), &options).verdict
    };
    assert!(verdict(1, false).is_violation());
    assert!(verdict(0, false).is_ok(), "not in the queue yet");
    assert!(verdict(1, true).is_ok(), "it may have been the third");
    assert!(verdict(2, true).is_violation());
}
