//! Each fault does what it says, where it is aimed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold::{AcquireRequest, ErrorKind, LockKey, TryAcquire, Ttl};
use leasehold_testkit::sim::{Finding, Node, Run, Sim};

use super::bodies::{plan, work};

/// What a body noticed.
type Notes = Arc<Mutex<Vec<String>>>;

fn key() -> LockKey {
    LockKey::new("job").unwrap()
}

/// A run of one client, without latency and on the true time, and what its body noted.
fn alone<F>(text: &str, body: impl Fn(Node, Notes) -> F + Send + Sync) -> (Run, Vec<String>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let notes = Notes::default();
    let sim = Sim::new(1).clients(1).plan(plan(text)).latency(Duration::ZERO).drift_ppm(0);
    let run = sim.run(|node| body(node, Arc::clone(&notes)));
    let noted = notes.lock().unwrap().clone();
    (run, noted)
}

fn note(notes: &Notes, node: &Node, words: &str) {
    notes.lock().unwrap().push(format!("{words} at {}", node.true_time()));
}

fn request(node: &Node) -> AcquireRequest {
    let ttl = Ttl::new(Duration::from_secs(1)).unwrap();
    AcquireRequest::new(key(), node.runtime().lease_id(), ttl)
}

/// Tries once, and notes what came of it.
async fn try_once(node: Node, notes: Notes) {
    let result = match node.backend().try_acquire(&request(&node)).await {
        Ok(TryAcquire::Granted(_)) => "granted".to_owned(),
        Ok(TryAcquire::Held(held)) => format!("held {}", held.reason),
        Err(error) => format!("{} {:?}", error.kind().name(), error.effect()),
    };
    note(&notes, &node, &result);
}

#[test]
fn a_paused_client_stands_still_between_two_points_and_its_clock_goes_on() {
    let (run, noted) = alone("pause client 1 for 2 ttl before write", |node, notes| async move {
        let guard = node.locker().acquire("job").await.unwrap();
        assert!(guard.is_valid());
        node.point("write").await;
        note(&notes, &node, if guard.is_valid() { "valid" } else { "lost" });
    });
    assert_eq!(noted, ["lost at 2s"], "{}", run.trace);
    assert!(run.is_ok());
}

#[test]
fn a_lost_request_does_nothing_and_is_unknown_after_the_timeout() {
    let (run, noted) = alone("lose request of acquire", try_once);
    assert_eq!(noted, ["unavailable Unknown at 200ms"]);
    assert_eq!(run.server.len(), 0);
}

#[test]
fn a_lost_reply_is_unknown_after_the_timeout_and_the_server_has_acted() {
    let (run, noted) = alone("lose reply of acquire", try_once);
    assert_eq!(noted, ["unavailable Unknown at 200ms"]);
    assert_eq!(run.server.len(), 1);
}

#[test]
fn a_delayed_request_arrives_later_than_its_caller_waits() {
    let (run, noted) = alone("delay request of acquire by 300ms", try_once);
    assert_eq!(noted, ["unavailable Unknown at 200ms"]);
    assert_eq!(run.server.operations()[0].invoked.at_ns, 300_000_000);
}

#[test]
fn a_duplicated_request_is_done_twice_and_answered_once() {
    let (run, noted) = alone("duplicate request of acquire by 100ms", |node, notes| async move {
        try_once(node.clone(), notes).await;
        node.runtime().sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(noted, ["granted at 0ns"]);
    let times: Vec<_> = run.server.operations().iter().map(|op| op.invoked.at_ns).collect();
    assert_eq!(times, [0, 100_000_000]);
}

/// Sends an acquire and at once, without waiting for its answer, its release.
async fn overtake(node: Node, notes: Notes) {
    let request = request(&node);
    let backend = node.backend();
    let both = futures::future::join(
        backend.try_acquire(&request),
        backend.release(request.key(), request.id()),
    );
    let _both = both.await;
    note(&notes, &node, "done");
}

#[test]
fn a_delayed_request_keeps_its_place_and_a_reordered_one_is_overtaken() {
    let calls = |text: &str| {
        let (run, _) = alone(text, overtake);
        run.server.operations().iter().map(|op| op.call.name()).collect::<Vec<_>>()
    };
    assert_eq!(calls("delay request of acquire by 50ms"), ["try_acquire", "release"]);
    assert_eq!(calls("reorder request of acquire by 50ms"), ["release", "try_acquire"]);
}

#[test]
fn what_is_sent_into_a_partition_is_lost_though_it_would_arrive_after_its_end() {
    let plan = "delay request of acquire by 100ms; partition client 1 for 50ms";
    let (run, noted) = alone(plan, |node, notes| async move {
        node.runtime().sleep(Duration::from_millis(1)).await;
        try_once(node, notes).await;
    });
    assert_eq!(noted, ["unavailable Unknown at 50ms"]);
    assert_eq!(run.server.len(), 0);
}

#[test]
fn no_copy_of_what_is_sent_into_a_partition_gets_out() {
    let plan = "duplicate request of acquire by 100ms; partition client 1 for 50ms";
    let (run, noted) = alone(plan, |node, notes| async move {
        node.runtime().sleep(Duration::from_millis(1)).await;
        try_once(node.clone(), notes).await;
        node.runtime().sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(noted, ["unavailable Unknown at 50ms"]);
    assert_eq!(run.server.len(), 0);
}

#[test]
fn an_answer_that_is_sent_into_a_partition_is_lost_though_it_would_arrive_after_its_end() {
    let sim = Sim::new(1).clients(2).latency(Duration::ZERO).drift_ppm(0);
    let sim = sim.plan(plan(
        "delay reply of acquire 1 of client 2 by 100ms; partition client 2 for 50ms at 80ms",
    ));
    let notes = Notes::default();
    let run = sim.run(|node| {
        let notes = Arc::clone(&notes);
        async move {
            if node.number() == 1 {
                let guard = node.locker().acquire("job").await.unwrap();
                node.runtime().sleep(Duration::from_millis(100)).await;
                let _released = guard.release().await;
                return;
            }
            node.runtime().sleep(Duration::from_millis(1)).await;
            let deadline = node.runtime().now() + Duration::from_secs(1);
            let error = node.backend().acquire(&request(&node), deadline).await.unwrap_err();
            note(&notes, &node, &format!("{:?}", error.effect()));
        }
    });
    assert_eq!(*notes.lock().unwrap(), ["Unknown at 130ms"], "{}", run.trace);
}

#[test]
fn a_copy_of_a_refused_try_that_is_granted_is_no_orphan_of_its_client() {
    let plan = plan("duplicate request of acquire of client 2 by 500ms");
    let run = Sim::new(1).clients(2).latency(Duration::ZERO).plan(plan).run(async |node| {
        if node.number() == 1 {
            let guard = node.locker().acquire("job").await.unwrap();
            node.runtime().sleep(Duration::from_millis(200)).await;
            let _released = guard.release().await;
            return;
        }
        node.runtime().sleep(Duration::from_millis(1)).await;
        assert!(node.locker().try_acquire("job").await.unwrap().is_none());
    });
    let granted = run.server.operations().iter().filter(|op| op.call.name() == "try_acquire");
    assert_eq!(granted.count(), 2, "the copy came");
    assert_eq!(run.findings, []);
}

#[test]
fn who_claims_too_late_is_no_second_holder() {
    let sim = Sim::new(1).clients(2).plan(plan("pause holder for 1500ms after grant 1"));
    let run = sim.run(async |node| {
        node.runtime().sleep(Duration::from_millis(100) * (node.number() - 1)).await;
        let backend = node.backend();
        let deadline = node.runtime().now() + Duration::from_secs(3);
        let granted = backend.acquire(&request(&node), deadline).await.unwrap();
        let leasehold::Acquire::Granted(grant) = granted else { return };
        let until = grant.since + Duration::from_millis(990);
        let clock = node.runtime().clone();
        node.claim(key(), grant.token, move || (clock.now() < until).then_some(until));
        node.runtime().sleep(Duration::from_millis(1_200)).await;
    });
    assert_eq!(run.findings, []);
}

#[test]
fn a_partition_loses_what_is_sent_and_its_end_breaks_the_calls() {
    let (run, noted) = alone("partition client 1 for 100ms", |node, notes| async move {
        node.runtime().sleep(Duration::from_millis(1)).await;
        try_once(node.clone(), Arc::clone(&notes)).await;
        try_once(node, notes).await;
    });
    assert_eq!(noted, ["unavailable Unknown at 100ms", "granted at 100ms"]);
    assert_eq!(run.server.len(), 1);
}

#[test]
fn what_a_crashed_client_would_send_on_its_way_out_never_leaves() {
    let (run, noted) = alone("crash client 1 for 300ms before write", |node, notes| async move {
        note(&notes, &node, &format!("life {}", node.life()));
        if node.life() == 0 {
            let _guard = node.locker().acquire("job").await.unwrap();
            node.point("write").await;
            note(&notes, &node, "alive");
        }
    });
    assert_eq!(noted, ["life 0 at 0ns", "life 1 at 300ms"]);
    let calls: Vec<_> = run.server.operations().iter().map(|op| op.call.name()).collect();
    assert_eq!(calls, ["acquire"], "no release");
    assert!(run.is_ok(), "{:?}", run.finding());
}

/// Takes the key, and asks who has it after half a second.
async fn hold_and_look(node: Node, notes: Notes) {
    try_once(node.clone(), Arc::clone(&notes)).await;
    node.runtime().sleep(Duration::from_millis(500)).await;
    let seen = node.backend().inspect(&key()).await.unwrap();
    note(&notes, &node, &format!("{} leases", seen.leases.len()));
    try_once(node, notes).await;
}

#[test]
fn a_server_that_restarts_with_its_data_knows_the_leases_and_one_without_waits_until_they_are_over()
{
    let with = alone("restart server with data for 100ms at 200ms", hold_and_look).1;
    assert_eq!(with, ["granted at 0ns", "1 leases at 500ms", "held lease at 500ms"]);
    let without = alone("restart server without data for 100ms at 200ms", hold_and_look).1;
    assert_eq!(without, ["granted at 0ns", "0 leases at 500ms", "held quarantine at 500ms"]);
}

#[test]
fn without_a_quarantine_a_server_that_lost_its_data_grants_twice_with_a_greater_token() {
    let plan = plan("restart server without data at 200ms");
    let sim = Sim::new(1).clients(2).plan(plan).quarantine(Duration::ZERO);
    let run = sim.run(async |node| {
        node.runtime().sleep(Duration::from_millis(300) * (node.number() - 1)).await;
        if let Some(guard) = node.locker().try_acquire("job").await.unwrap() {
            node.watch(&guard);
            node.runtime().sleep(Duration::from_millis(600)).await;
        }
    });
    let granted = run.trace.to_string().matches("is granted token").count();
    assert_eq!(granted, 2, "{}", run.trace);
}

#[test]
fn a_failover_loses_the_last_writes() {
    let leases = |text: &str| {
        alone(text, |node, notes| async move {
            try_once(node.clone(), Arc::clone(&notes)).await;
            let other = LockKey::new("other").unwrap();
            let ttl = Ttl::new(Duration::from_secs(1)).unwrap();
            let second = AcquireRequest::new(other.clone(), node.runtime().lease_id(), ttl);
            node.backend().try_acquire(&second).await.unwrap();
            node.runtime().sleep(Duration::from_millis(500)).await;
            for key in [key(), other] {
                let seen = node.backend().inspect(&key).await.unwrap();
                notes.lock().unwrap().push(seen.leases.len().to_string());
            }
        })
        .1
    };
    assert_eq!(leases("failover server losing 0 operations at 200ms")[1..], ["1", "1"]);
    assert_eq!(leases("failover server losing 1 operation at 200ms")[1..], ["1", "0"]);
    assert_eq!(leases("failover server losing 2 operations at 200ms")[1..], ["0", "0"]);
}

#[test]
fn a_paused_server_answers_afterwards_in_order() {
    let (_, noted) = alone("pause server for 150ms", |node, notes| async move {
        node.runtime().sleep(Duration::from_millis(1)).await;
        try_once(node.clone(), Arc::clone(&notes)).await;
    });
    assert_eq!(noted, ["granted at 150ms"]);
}

#[test]
fn a_set_wall_clock_moves_no_lease_but_a_set_server_clock_does() {
    let at = |text: &str| {
        alone(text, |node, notes| async move {
            let wall = node.wall_clock();
            let before = wall.now();
            let guard = node.locker().acquire("job").await.unwrap();
            node.runtime().sleep(Duration::from_millis(500)).await;
            let passed = wall.now().since(before).as_millis();
            let seen = node.backend().inspect(&key()).await.unwrap();
            let (valid, live) = (guard.is_valid(), seen.is_locked());
            notes.lock().unwrap().push(format!("{passed} {valid} {live}"));
        })
        .1
    };
    assert_eq!(at("step clock of client 1 by +10s at 100ms"), ["10500 true true"]);
    assert_eq!(at("step clock of server by +10s at 100ms"), ["500 true false"]);
}

#[test]
fn a_skewed_clock_within_the_allowance_is_survived_and_one_beyond_it_is_found() {
    let found = |ppm: i32| {
        let text = format!("skew clock of client 1 by {ppm} ppm");
        let (run, _) = alone(&text, |node, _| async move {
            let guard = node.locker().acquire("job").await.unwrap();
            node.watch(&guard);
            node.runtime().sleep(Duration::from_secs(2)).await;
        });
        run.findings
    };
    assert_eq!(found(-9_900), []);
    let beyond = found(-50_000);
    assert!(matches!(beyond[..], [Finding::NotHeld { client: 1, .. }]), "{beyond:?}");
}

#[test]
fn faults_are_aimed_at_the_holder_at_the_moment_that_matters() {
    for seed in 0..20 {
        let plan =
            plan("pause holder for 500ms after grant 2; pause holder for 500ms at renewal 3");
        let run = Sim::new(seed).clients(3).plan(plan).run(work);
        let trace = run.trace.to_string();
        let lines: Vec<_> = trace.lines().collect();
        let words = ["is granted token", "sends renewal"];
        for (fault, word) in run.faults.iter().zip(words) {
            let place =
                lines.iter().position(|line| line.ends_with(&*format!("fault: {}", fault.words)));
            let before = lines[place.unwrap() - 1];
            let holder = format!("client {} {word}", fault.client.unwrap());
            assert!(before.contains(&holder), "{before}");
            assert_eq!(fault.to_ns - fault.from_ns, 500_000_000);
        }
        assert_eq!(run.faults.len(), 2, "seed {seed}");
    }
}

#[test]
fn a_foreign_wait_is_told_at_once_and_by_name() {
    let (run, _) = alone("", |node, _| async move {
        if node.number() == 1 {
            std::future::pending::<()>().await;
        }
    });
    assert_eq!(run.findings, [Finding::Foreign { clients: vec![1], at_ns: 0 }]);
    assert!(run.findings[0].to_string().contains("client 1 waits"), "{}", run.findings[0]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this is what must be found out")]
fn the_timers_of_tokio_are_told_with_or_without_its_runtime() {
    let sleeps = |_: Node, _: Notes| tokio::time::sleep(Duration::from_millis(1));
    let (run, _) = alone("", |_, _| async { tokio::time::sleep(Duration::from_millis(1)).await });
    assert!(
        run.findings[0].to_string().contains("from the node's `Runtime`"),
        "{}",
        run.findings[0]
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let (run, _) = alone("", sleeps);
    assert!(matches!(run.findings[..], [Finding::Foreign { .. }]), "{:?}", run.findings);
}

#[test]
fn a_body_that_never_lets_time_pass_or_never_ends_is_stuck() {
    let (run, _) = alone("", |node, _| async move {
        loop {
            node.runtime().sleep(Duration::from_secs(1)).await;
        }
    });
    assert!(matches!(&run.findings[..], [Finding::Stuck { clients, .. }] if *clients == [1]));
}

#[test]
fn a_panic_of_a_body_is_a_finding() {
    let (run, _) = alone("", |_, _| async { panic!("out of stock") });
    let message = "out of stock".to_owned();
    assert_eq!(run.findings, [Finding::Panicked { client: 1, message }]);
}

#[test]
fn a_revocation_is_told_over_the_network() {
    let (run, noted) = alone("", |node, notes| async move {
        let locker = node.locker();
        let guard = locker.acquire("job").await.unwrap();
        node.watch(&guard);
        locker.revoke("job").await.unwrap();
        let loss = guard.lost().await;
        note(&notes, &node, &loss.to_string());
    });
    assert_eq!(noted, ["the lease was revoked at 0ns"]);
    assert!(run.is_ok(), "{:?}", run.finding());
}

#[test]
fn an_operation_that_the_server_refuses_says_so_through_the_network() {
    let (_, noted) = alone("", |node, notes| async move {
        let request = request(&node);
        let backend = node.backend();
        backend.try_acquire(&request).await.unwrap();
        backend.release(request.key(), request.id()).await.unwrap();
        let again = backend.try_acquire(&request).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::IdReused);
        note(&notes, &node, "refused");
    });
    assert_eq!(noted, ["refused at 0ns"]);
}
