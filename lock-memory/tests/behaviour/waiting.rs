//! Waiting in the queue, on virtual time.

use std::sync::Arc;

use crate::support::*;
use leasehold::{
    Acquire, AcquireRequest, Clock, ErrorKind, ExtendRequest, Extension, HeldReason, LockBackend,
    Release, Result, Runtime, Timestamp, TryAcquire, VirtualClock,
};
use leasehold_memory::MemoryBackend;
use tokio::task::JoinHandle;

fn waiting(
    backend: &MemoryBackend,
    request: AcquireRequest,
    deadline: Timestamp,
) -> JoinHandle<Result<Acquire>> {
    let backend = backend.clone();
    tokio::spawn(async move { backend.acquire(&request, deadline).await })
}

/// The outcome of a task that must have it by now.
async fn outcome_of(clock: &VirtualClock, task: JoinHandle<Result<Acquire>>) -> Result<Acquire> {
    clock.settle().await;
    assert!(task.is_finished(), "it still waits at {}", clock.now());
    task.await.unwrap()
}

async fn held_by_1() -> (MemoryBackend, VirtualClock) {
    let (backend, clock) = MemoryBackend::manual(1);
    granted(&backend.try_acquire(&by(1)).await.unwrap());
    (backend, clock)
}

#[tokio::test]
async fn a_release_makes_the_first_waiter_the_owner_before_it_returns() {
    let (backend, clock) = held_by_1().await;
    let second = waiting(&backend, by(2), at(60));
    clock.settle().await;
    let third = waiting(&backend, by(3), at(60));
    clock.settle().await;

    let released = backend.release(&key("k"), id(1)).await.unwrap();
    assert_eq!(released, Release::Released);
    let now = backend.inspect(&key("k")).await.unwrap();
    assert_eq!(now.leases[0].holder, *by(2).holder());
    assert_eq!(now.waiters[0].holder, *by(3).holder());

    acquired(&outcome_of(&clock, second).await.unwrap());
    assert!(!third.is_finished());
    backend.release(&key("k"), id(2)).await.unwrap();
    acquired(&outcome_of(&clock, third).await.unwrap());
}

#[tokio::test]
async fn an_expiry_with_nobody_calling_makes_the_first_waiter_the_owner_at_that_instant() {
    let (backend, clock) = held_by_1().await;
    let second = waiting(&backend, by(2), at(60));
    clock.advance(secs(10)).await;
    let grant = acquired(&outcome_of(&clock, second).await.unwrap());
    assert_eq!(grant.since, at(10));
}

#[tokio::test]
async fn a_waiter_leaves_at_its_deadline_and_holds_nothing() {
    let (backend, clock) = held_by_1().await;
    let second = waiting(&backend, by(2), at(3));
    clock.advance(secs(3)).await;
    assert_eq!(clock.now(), at(3));
    let Acquire::TimedOut(held) = outcome_of(&clock, second).await.unwrap() else {
        panic!("granted");
    };
    assert_eq!(held.reason, HeldReason::Lease);
    assert_eq!(held.retry_after, Some(secs(7)));
    assert_eq!(held.holders, [by(1).holder().clone()]);
    assert!(backend.inspect(&key("k")).await.unwrap().waiters.is_empty());
    let again = backend.try_acquire(&by(2)).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::IdReused);
    assert_eq!(clock.timers(), 0);
}

#[tokio::test]
async fn a_lease_cut_short_is_handed_on_at_its_new_end() {
    let (backend, clock) = MemoryBackend::manual(1);
    let holder = by(1).with_min_hold(secs(4)).unwrap();
    granted(&backend.try_acquire(&holder).await.unwrap());
    let second = waiting(&backend, by(2), at(60));
    clock.advance(secs(1)).await;
    backend.release(&key("k"), id(1)).await.unwrap();
    clock.advance(secs(3)).await;
    assert_eq!(acquired(&outcome_of(&clock, second).await.unwrap()).since, at(4));
}

#[tokio::test]
async fn a_lease_extended_is_handed_on_at_its_new_end() {
    let (backend, clock) = held_by_1().await;
    let second = waiting(&backend, by(2), at(60));
    clock.advance(secs(6)).await;
    backend.extend(&key("k"), id(1), ttl(10)).await.unwrap();
    clock.advance(secs(20)).await;
    assert_eq!(acquired(&outcome_of(&clock, second).await.unwrap()).since, at(16));
}

#[tokio::test]
async fn a_waiter_behind_one_that_nobody_polls_is_served_once_that_one_is_late() {
    let (backend, clock) = held_by_1().await;
    let forgotten_request = by(2);
    let mut forgotten = backend.acquire(&forgotten_request, at(3));
    assert!(futures::poll!(&mut forgotten).is_pending());
    let third = waiting(&backend, by(3), at(60));
    clock.advance(secs(10)).await;
    assert_eq!(acquired(&outcome_of(&clock, third).await.unwrap()).since, at(10));
    let late = forgotten.await.unwrap();
    assert!(matches!(late, Acquire::TimedOut(_)));
}

#[tokio::test]
async fn a_waiter_that_gives_up_wakes_the_one_that_gets_its_lease() {
    let (backend, clock) = held_by_1().await;
    let request = by(2);
    let mut second = backend.acquire(&request, at(60));
    assert!(futures::poll!(&mut second).is_pending());
    let third = waiting(&backend, by(3), at(60));
    clock.settle().await;
    backend.release(&key("k"), id(1)).await.unwrap();
    drop(second);
    acquired(&outcome_of(&clock, third).await.unwrap());
}

#[tokio::test]
async fn an_id_released_while_it_waits_is_told_so_and_those_behind_it_move_up() {
    let (backend, clock) = held_by_1().await;
    let second = waiting(&backend, by(2), at(60));
    clock.settle().await;
    let third = waiting(&backend, by(3), at(60));
    clock.settle().await;
    let released = backend.release(&key("k"), id(2)).await.unwrap();
    assert_eq!(released, Release::NotHeld);
    let refused = outcome_of(&clock, second).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::IdReused);
    backend.release(&key("k"), id(1)).await.unwrap();
    acquired(&outcome_of(&clock, third).await.unwrap());
}

#[tokio::test]
async fn an_acquire_sent_twice_is_answered_twice_with_one_grant() {
    let (backend, clock) = held_by_1().await;
    let first = waiting(&backend, by(2), at(60));
    let again = waiting(&backend, by(2), at(60));
    clock.settle().await;
    assert_eq!(backend.inspect(&key("k")).await.unwrap().waiters.len(), 1);
    backend.release(&key("k"), id(1)).await.unwrap();
    let first = acquired(&outcome_of(&clock, first).await.unwrap());
    assert_eq!(first, acquired(&outcome_of(&clock, again).await.unwrap()));
}

#[tokio::test]
async fn a_revoked_key_goes_to_the_first_waiter_and_the_former_holder_is_out() {
    let (backend, clock) = held_by_1().await;
    let before = backend.inspect(&key("k")).await.unwrap().leases[0].token;
    let second = waiting(&backend, by(2), at(60));
    clock.settle().await;
    let admin = backend.admin().unwrap();
    assert_eq!(admin.revoke(&key("k")).await.unwrap().leases, 1);
    assert!(acquired(&outcome_of(&clock, second).await.unwrap()).token > before);
    let extended = backend.extend(&key("k"), id(1), ttl(10)).await.unwrap();
    assert_eq!(extended, Extension::Lost);
    assert_eq!(admin.revoke(&key("unknown")).await.unwrap().leases, 0);
}

#[tokio::test]
async fn a_batch_extends_each_lease_for_itself() {
    let (backend, _clock) = held_by_1().await;
    let extend = |number| ExtendRequest { key: key("k"), id: id(number), ttl: ttl(30) };
    let outcomes = backend.batch().unwrap().extend_many(&[extend(2), extend(1)]).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes, [Extension::Lost, Extension::Extended]);
    let state = backend.inspect(&key("k")).await.unwrap();
    assert_eq!(state.leases[0].remaining, secs(30));
}

#[tokio::test]
async fn a_free_key_is_granted_even_if_the_deadline_has_passed() {
    let (backend, clock) = MemoryBackend::manual(1);
    clock.advance(secs(5)).await;
    acquired(&backend.acquire(&by(1), at(1)).await.unwrap());
    let late = backend.acquire(&by(2), at(1)).await.unwrap();
    assert!(matches!(late, Acquire::TimedOut(_)));
    assert_eq!(backend.inspect(&key("k")).await.unwrap().waiters, []);
}

#[tokio::test]
async fn several_keys_are_granted_once_all_are_free() {
    let (backend, clock) = held_by_1().await;
    let both = AcquireRequest::for_keys([key("k"), key("l")], id(2), ttl(10)).unwrap();
    assert!(matches!(backend.try_acquire(&both).await.unwrap(), TryAcquire::Held(_)));
    assert!(!backend.inspect(&key("l")).await.unwrap().is_locked());
    let task = waiting(&backend, both, at(60));
    clock.advance(secs(11)).await;
    let grant = acquired(&outcome_of(&clock, task).await.unwrap());
    for name in ["k", "l"] {
        let state = backend.inspect(&key(name)).await.unwrap();
        assert_eq!(state.leases[0].token, grant.token);
    }
}

#[tokio::test]
async fn it_serves_as_a_shared_trait_object() {
    let (runtime, _clock) = Runtime::manual(1);
    let backend: Arc<dyn LockBackend> = Arc::new(MemoryBackend::with_runtime(runtime));
    granted(&backend.try_acquire(&by(1)).await.unwrap());
}
