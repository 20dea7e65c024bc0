//! G7 and G8 of `acquire`, with a queue or without one.

use std::sync::atomic::{AtomicBool, Ordering};

use leasehold::{ErrorKind, HeldReason, Release};

use crate::suite::trial::Trial;

pub(crate) async fn g7_a_wait_ends_when_the_key_is_released(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.wait(&request);
    trial.settle().await;
    assert!(!waiting.is_finished(), "granted beside a live lease");
    assert_eq!(trial.release(&holder).await, Release::Released);
    let next = trial.soon_granted(waiting, &request).await;
    assert!(next.grant.token > holder.grant.token);
    trial.is_taken(&holder.key).await;
}

pub(crate) async fn g7_a_wait_ends_when_the_lease_runs_out(trial: &Trial) {
    let key = trial.key("a");
    let crashed = trial.grant(&trial.request(&key, trial.short())).await;
    let request = trial.request(&key, trial.long());
    let waiting = trial.wait(&request);
    trial.settle().await;
    trial.pass(trial.short().get()).await;
    let next = trial.soon_granted(waiting, &request).await;
    assert!(next.grant.token > crashed.grant.token);
}

pub(crate) async fn g7_a_free_key_is_granted_without_waiting(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.long());
    let waiting = trial.wait(&request);
    let lease = trial.soon_granted(waiting, &request).await;
    trial.is_taken(&lease.key).await;
}

pub(crate) async fn g7_a_free_key_is_granted_though_the_deadline_has_passed(trial: &Trial) {
    trial.pass(trial.short().get()).await;
    for deadline in [leasehold::Timestamp::ORIGIN, trial.now()] {
        let request = trial.request(&trial.key(&deadline.to_string()), trial.long());
        let waiting = trial.wait_until(&request, deadline);
        trial.soon_granted(waiting, &request).await;
    }
}

pub(crate) async fn g8_a_held_key_with_a_passed_deadline_is_timed_out(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    for deadline in [leasehold::Timestamp::ORIGIN, trial.now()] {
        let request = trial.request(&holder.key, trial.long());
        let waiting = trial.wait_until(&request, deadline);
        assert_eq!(trial.soon_timed_out(waiting).await.reason, HeldReason::Lease);
    }
    assert_eq!(trial.inspect(&holder.key).await.waiters, []);
}

pub(crate) async fn g8_a_wait_ends_at_its_deadline(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let deadline = trial.now() + trial.short().get();
    let waiting = trial.wait_until(&request, deadline);
    trial.settle().await;
    assert!(!waiting.is_finished() || trial.now() >= deadline, "timed out too soon");
    trial.pass(trial.short().get()).await;
    let held = trial.soon_timed_out(waiting).await;
    assert_eq!(held.reason, HeldReason::Lease);
    assert!(trial.now() >= deadline, "timed out too soon");
}

pub(crate) async fn g5_a_timed_out_wait_leaves_nothing(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.wait_until(&request, trial.now() + trial.short().get());
    trial.pass(trial.short().get()).await;
    trial.soon_timed_out(waiting).await;
    assert_eq!(trial.inspect(&holder.key).await.waiters, []);
    assert_eq!(trial.release(&holder).await, Release::Released);
    // Time for whatever still runs on its behalf.
    trial.pass(trial.short().get()).await;
    trial.is_free(&holder.key).await;
    assert_eq!(trial.give_up(&holder.key, request.id()).await, Release::NotHeld);
}

/// It was given up, with or without a queue: a late duplicate of one of its tries takes nothing.
pub(crate) async fn g5_an_id_whose_wait_timed_out_is_not_granted_later(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.wait_until(&request, trial.now() + trial.short().get());
    trial.pass(trial.short().get()).await;
    trial.soon_timed_out(waiting).await;
    assert_eq!(trial.release(&holder).await, Release::Released);
    trial.refused(&request, ErrorKind::IdReused).await;
    trial.is_free(&holder.key).await;
}

pub(crate) async fn g8_a_wait_refuses_what_a_try_refuses(trial: &Trial) {
    let key = trial.key("a");
    trial.grant(&trial.shared(&key, 3, 3)).await;
    let waiting = trial.wait(&trial.shared(&key, 4, 1));
    match trial.soon(waiting).await {
        Err(error) => assert_eq!(error.kind(), ErrorKind::LimitMismatch),
        Ok(outcome) => panic!("two limits on one key got {outcome:?}"),
    }
    assert_eq!(trial.inspect(&key).await.waiters, []);
}

/// A lost wake-up needs the release to fall between the waiter's look and its sleep: many handoffs, none
/// of which may hang.
pub(crate) async fn g7_no_handoff_is_lost(trial: &Trial) {
    let key = trial.key("a");
    let mut holder = trial.hold(&key).await;
    for pause in 0..24 {
        let request = trial.request(&key, trial.long());
        let waiting = trial.wait(&request);
        for _ in 0..pause {
            tokio::task::yield_now().await;
        }
        assert_eq!(trial.release(&holder).await, Release::Released);
        holder = trial.soon_granted(waiting, &request).await;
    }
}

/// Every client gets its turn, and nobody is inside beside another.
pub(crate) async fn g1_clients_that_wait_are_inside_one_at_a_time(trial: &Trial) {
    let key = trial.key("a");
    let inside = AtomicBool::new(false);
    let clients = (0..6).map(|_| async {
        for _ in 0..3 {
            let request = trial.request(&key, trial.long());
            let lease = trial.acquire(&request).await;
            assert!(!inside.swap(true, Ordering::SeqCst), "two clients inside");
            tokio::task::yield_now().await;
            inside.store(false, Ordering::SeqCst);
            assert_eq!(trial.release(&lease).await, Release::Released);
        }
    });
    trial.finish(clients).await;
    trial.is_free(&key).await;
}
