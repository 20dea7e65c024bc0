//! The recorder writes down what happened: calls, answers, drops, and nothing secret.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{sync::Arc, time::Duration};

use futures::{executor::block_on, poll};
use leasehold::{
    AcquireRequest, Capability, Effect, Error, ErrorKind, ExtendRequest, LockBackend, LockKey,
    Locker, Runtime, Ttl,
};
use leasehold_memory::MemoryBackend;
use leasehold_testkit::{
    history::{Call, History, Outcome},
    mock::MockLockBackend,
    record::Recorder,
};

fn ttl() -> Ttl {
    Ttl::new(Duration::from_secs(10)).unwrap()
}

fn request(backend: &dyn LockBackend, key: &str) -> AcquireRequest {
    AcquireRequest::new(LockKey::new(key).unwrap(), backend.runtime().lease_id(), ttl())
}

fn text(history: &History) -> String {
    let mut bytes = Vec::new();
    history.write_to(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_operation_is_recorded_with_its_client_and_its_answer() {
    block_on(async {
        let (backend, clock) = MemoryBackend::manual(1);
        let recorder = Recorder::in_process(backend);
        let (c1, c2) = (recorder.client("c1"), recorder.client("c2"));
        let (one, other) = (request(&c1, "job"), request(&c2, "job"));
        c1.try_acquire(&one).await.unwrap();
        clock.advance(Duration::from_secs(1)).await;
        c2.try_acquire(&other).await.unwrap();
        c2.acquire(&other, c2.runtime().now()).await.unwrap();
        c1.extend(one.key(), one.id(), ttl()).await.unwrap();
        let lease = ExtendRequest { key: one.key().clone(), id: one.id(), ttl: ttl() };
        c1.batch().unwrap().extend_many(&[lease]).await[0].as_ref().unwrap();
        c1.inspect(one.key()).await.unwrap();
        c1.downgrader().unwrap().downgrade(one.key(), one.id()).await.unwrap();
        c1.release(one.key(), one.id()).await.unwrap();
        c1.admin().unwrap().revoke(one.key()).await.unwrap();

        let history = recorder.history();
        let seen: Vec<_> = history
            .operations()
            .iter()
            .map(|op| (&*op.client, op.call.name(), op.invoked.at_ns / 1_000_000_000))
            .collect();
        let expected = [
            ("c1", "try_acquire", 0),
            ("c2", "try_acquire", 1),
            ("c2", "acquire", 1),
            ("c1", "extend", 1),
            ("c1", "extend", 1),
            ("c1", "inspect", 1),
            ("c1", "downgrade", 1),
            ("c1", "release", 1),
            ("c1", "revoke", 1),
        ];
        assert_eq!(seen, expected);
        let answers: Vec<_> = history.operations().iter().filter_map(|op| op.outcome()).collect();
        assert!(matches!(answers[0], Outcome::Granted { ttl_ns: 10_000_000_000, .. }));
        assert!(matches!(answers[1], Outcome::Held { .. }));
        assert_eq!(answers[2], &Outcome::TimedOut);
        assert_eq!((answers[3], answers[4]), (&Outcome::Extended, &Outcome::Extended));
        assert!(matches!(answers[5], Outcome::State { leases, waiters: Some(0) }
            if leases[0].remaining_ns == Some(10_000_000_000)));
        assert_eq!((answers[6], answers[7]), (&Outcome::Downgraded, &Outcome::Released));
        assert_eq!(answers[8], &Outcome::Revoked { leases: 0 });
    });
}

#[test]
fn a_lease_has_a_short_name_and_its_id_is_nowhere() {
    block_on(async {
        let recorder = Recorder::in_process(MemoryBackend::manual(1).0);
        let c1 = recorder.client("c1");
        let (first, second) = (request(&c1, "a"), request(&c1, "b"));
        c1.try_acquire(&first).await.unwrap();
        c1.try_acquire(&second).await.unwrap();
        recorder.client("c2").release(first.key(), first.id()).await.unwrap();
        let history = recorder.history();
        let names: Vec<_> =
            history.operations().iter().map(|op| &**op.call.lease().unwrap()).collect();
        assert_eq!(names, ["c1.1", "c1.2", "c1.1"]);
        assert!(!text(&history).contains(&first.id().expose_hex()[..8]));
    });
}

#[test]
fn a_dropped_wait_is_settled_where_a_drop_is_the_end_and_open_elsewhere() {
    block_on(async {
        for in_process in [true, false] {
            let (backend, _clock) = MemoryBackend::manual(1);
            let holder = request(&backend, "job");
            backend.try_acquire(&holder).await.unwrap();
            let waiter = request(&backend, "job");
            let deadline = backend.runtime().now() + Duration::from_secs(5);
            let history = if in_process {
                let recorder = Recorder::in_process(backend);
                let mut waiting = Box::pin(recorder.acquire(&waiter, deadline));
                assert!(poll!(&mut waiting).is_pending());
                drop(waiting);
                recorder.history()
            } else {
                let recorder = Recorder::new(backend);
                let mut waiting = Box::pin(recorder.acquire(&waiter, deadline));
                assert!(poll!(&mut waiting).is_pending());
                drop(waiting);
                recorder.history()
            };
            let op = &history.operations()[0];
            assert_eq!(op.outcome(), None);
            assert_eq!(op.settled.is_some(), in_process);
            assert_eq!(op.enqueued.is_some(), in_process, "only a probe sees the queue");
        }
    });
}

/// A backend that never knows whether it released.
fn in_doubt() -> MockLockBackend {
    let mut mock = MockLockBackend::new();
    let runtime = Box::leak(Box::new(Runtime::manual(1).0));
    mock.expect_runtime().return_const(runtime.clone());
    mock.expect_release().returning(|_, _| {
        Err(Error::new(ErrorKind::Unavailable, Effect::Unknown, "the connection broke"))
    });
    mock
}

#[test]
fn an_unknown_effect_stays_open_until_its_client_is_settled() {
    block_on(async {
        let recorder = Recorder::new(in_doubt());
        let (c1, c2) = (recorder.client("c1"), recorder.client("c2"));
        let id = Runtime::manual(2).0.lease_id();
        let key = LockKey::new("job").unwrap();
        c1.release(&key, id).await.unwrap_err();
        c2.release(&key, id).await.unwrap_err();
        let settled = |history: History| {
            history.operations().iter().map(|op| op.settled.is_some()).collect::<Vec<_>>()
        };
        assert!(recorder.history().operations().iter().all(|op| op.is_unknown()));
        assert_eq!(settled(recorder.history()), [false, false]);
        recorder.recording().settle("c2");
        assert_eq!(settled(recorder.history()), [false, true]);
    });
}

#[tokio::test]
async fn what_a_locker_does_is_recorded_too() {
    let recorder = Recorder::in_process(MemoryBackend::manual(1).0);
    let locker = Locker::new(Arc::new(recorder.client("app")));
    let guard = locker.try_acquire("job").await.unwrap().expect("the key is free");
    guard.release().await.unwrap();
    let history = recorder.history();
    let calls: Vec<_> = history.operations().iter().map(|op| op.call.name()).collect();
    assert_eq!(calls, ["try_acquire", "release"]);
    assert!(history.operations().iter().all(|op| &*op.client == "app"));
}

#[test]
fn two_connections_write_into_one_history() {
    block_on(async {
        let (backend, _clock) = MemoryBackend::manual(1);
        let first = Recorder::new(backend.clone()).client("p1");
        let second = Recorder::over(backend, first.recording().clone(), "p2");
        let asked = request(&first, "job");
        first.try_acquire(&asked).await.unwrap();
        second.release(asked.key(), asked.id()).await.unwrap();
        let history = second.history();
        assert_eq!(history.len(), 2);
        assert!(
            matches!(&history.operations()[1].call, Call::Release { lease, .. } if &**lease == "p1.1")
        );
        assert!(first.capabilities().has(Capability::Queue));
    });
}
