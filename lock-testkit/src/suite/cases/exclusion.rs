//! G1: beside an exclusive lease there is no other.

use leasehold::{HeldReason, LockKey, Release, TryAcquire};

use crate::suite::trial::Trial;

pub(crate) async fn g1_a_free_key_is_granted_for_the_ttl_asked(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.short());
    let lease = trial.grant(&request).await;
    assert_eq!(lease.grant.ttl, request.ttl());
}

pub(crate) async fn g1_a_held_key_is_held_for_every_other_id(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    for _ in 0..3 {
        assert_eq!(trial.is_taken(&lease.key).await.reason, HeldReason::Lease);
    }
}

pub(crate) async fn g1_a_released_key_is_free(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g1_of_many_tries_at_once_one_is_granted(trial: &Trial) {
    let key = trial.key("a");
    let requests: Vec<_> = (0..16).map(|_| trial.request(&key, trial.long())).collect();
    let tries = requests.iter().map(|request| trial.try_acquire(request));
    let outcomes = futures::future::join_all(tries).await;
    let granted = |outcome: &&TryAcquire| matches!(outcome, TryAcquire::Granted(_));
    assert_eq!(outcomes.iter().filter(granted).count(), 1, "{outcomes:?}");
}

pub(crate) async fn g1_keys_do_not_touch_each_other(trial: &Trial) {
    let (one, other) = (trial.key("one"), trial.key("other"));
    let lease = trial.hold(&one).await;
    trial.is_free(&other).await;
    trial.is_taken(&one).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
}

/// Whatever a backend encodes, or uses in its own names, must not make two keys one.
pub(crate) async fn g1_keys_that_differ_in_any_byte_are_different_keys(trial: &Trial) {
    let long = "x".repeat(300);
    let names = [
        "a", "A", "a ", " a", "a:", "a::", "a:f", "a:q", "{a}", "{}", "{", "}", "}a{", "{}a}",
        "a*", "a?", "[a]", "a\\", "a%", "a%7B", "%7B", "é", "e\u{301}", "日本", "a\"b", "a'b",
        &long,
    ];
    let keys: Vec<LockKey> = names.iter().map(|name| trial.key(name)).collect();
    for key in &keys {
        trial.hold(key).await;
    }
    for key in &keys {
        trial.is_taken(key).await;
    }
}

pub(crate) async fn g8_held_says_who_holds(trial: &Trial) {
    let key = trial.key("a");
    let request = trial.request(&key, trial.long());
    trial.grant(&request).await;
    let held = trial.is_taken(&key).await;
    assert_eq!(held.holders, [request.holder().clone()]);
}

pub(crate) async fn g8_held_is_worth_another_try_when_it_says(trial: &Trial) {
    let key = trial.key("a");
    let request = trial.request(&key, trial.short());
    trial.grant(&request).await;
    let TryAcquire::Held(held) = trial.try_acquire(&trial.request(&key, trial.long())).await else {
        return; // Real time ran out before the second try.
    };
    let Some(after) = held.retry_after else {
        return; // The backend can't say.
    };
    assert!(after <= request.ttl().get() + trial.resolution(), "later than the end: {after:?}");
    trial.pass(after).await;
    trial.is_free(&key).await;
}

pub(crate) async fn g8_a_held_try_changes_nothing(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let other = trial.request(&lease.key, trial.long());
    trial.held(&other).await;
    assert_eq!(trial.give_up(&lease.key, other.id()).await, Release::NotHeld);
    let state = trial.inspect(&lease.key).await;
    let tokens: Vec<_> = state.leases.iter().map(|lease| lease.token).collect();
    assert_eq!((tokens.as_slice(), state.waiters.len()), (&[lease.grant.token][..], 0));
    assert_eq!(trial.release(&lease).await, Release::Released);
}
