//! A minimum hold: the key stays taken, whatever its holder does.

use std::time::Duration;

use leasehold::{AcquireRequest, ErrorKind, Extension, HeldReason, Release};

use crate::suite::trial::{Lease, Trial, holding};

/// A lease with a minimum hold, released at once.
async fn released_early(trial: &Trial, min_hold: Duration) -> (AcquireRequest, Lease) {
    let request = holding(trial.request(&trial.key("a"), trial.long()), min_hold);
    let lease = trial.grant(&request).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    (request, lease)
}

pub(crate) async fn g1_a_minimum_hold_keeps_the_key_after_release(trial: &Trial) {
    let (_, lease) = released_early(trial, trial.long().get()).await;
    assert_eq!(trial.is_taken(&lease.key).await.reason, HeldReason::Lease);
    let state = trial.inspect(&lease.key).await;
    assert_eq!(state.leases.len(), 1);
    assert!(state.leases[0].released, "it is shown as held: {state:?}");
}

pub(crate) async fn g1_a_minimum_hold_ends(trial: &Trial) {
    let (_, lease) = released_early(trial, trial.short().get()).await;
    if trial.pass_exactly(trial.short().get() - Duration::from_micros(1)).await {
        trial.is_taken(&lease.key).await;
        trial.pass_exactly(Duration::from_micros(1)).await;
    }
    trial.pass(if trial.is_virtual() { Duration::ZERO } else { trial.short().get() }).await;
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g1_a_release_after_the_minimum_hold_frees_at_once(trial: &Trial) {
    let short = trial.short().get();
    let lease = trial.grant(&holding(trial.request(&trial.key("a"), trial.long()), short)).await;
    trial.pass(short).await;
    trial.is_taken(&lease.key).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g3_a_released_minimum_hold_can_not_be_extended(trial: &Trial) {
    let (_, lease) = released_early(trial, trial.short().get()).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Lost);
    trial.pass(trial.short().get()).await;
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g4_a_released_minimum_hold_is_not_held(trial: &Trial) {
    let (_, lease) = released_early(trial, trial.long().get()).await;
    assert_eq!(trial.release(&lease).await, Release::NotHeld);
    trial.is_taken(&lease.key).await;
}

pub(crate) async fn g5_a_released_minimum_hold_is_not_revived(trial: &Trial) {
    let (request, lease) = released_early(trial, trial.long().get()).await;
    assert_eq!(trial.held(&request).await.reason, HeldReason::Lease);
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Lost);
    assert_eq!(trial.release(&lease).await, Release::NotHeld);
}

pub(crate) async fn g5_an_id_stays_given_up_after_its_minimum_hold(trial: &Trial) {
    let (request, lease) = released_early(trial, trial.short().get()).await;
    trial.pass(trial.short().get()).await;
    trial.refused(&request, ErrorKind::IdReused).await;
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g1_a_minimum_hold_outlives_a_crashed_holder_until_its_end(trial: &Trial) {
    let short = trial.short();
    let request = holding(trial.request(&trial.key("a"), short), short.get());
    let lease = trial.grant(&request).await;
    trial.pass(short.get()).await;
    assert_eq!(trial.release(&lease).await, Release::NotHeld);
    trial.is_free(&lease.key).await;
}

/// Neither an extension nor a repeated acquire moves the point from which the minimum hold is counted.
pub(crate) async fn g1_a_minimum_hold_counts_from_the_grant(trial: &Trial) {
    let short = trial.short().get();
    let request = holding(trial.request(&trial.key("a"), trial.long()), short);
    let lease = trial.grant(&request).await;
    trial.pass(short).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Extended);
    assert_eq!(trial.grant(&request).await.grant.token, lease.grant.token);
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g1_releasing_shortens_to_the_minimum_hold(trial: &Trial) {
    let (_, lease) = released_early(trial, trial.short().get()).await;
    let state = trial.inspect(&lease.key).await;
    let remaining = state.leases.first().map(|lease| lease.remaining);
    let most = trial.short().get() + trial.resolution();
    assert!(remaining.is_none_or(|remaining| remaining <= most), "{state:?}");
}

pub(crate) async fn g1_a_permit_under_a_minimum_hold_stays_taken(trial: &Trial) {
    let key = trial.key("a");
    let first = trial.grant(&holding(trial.shared(&key, 2, 1), trial.long().get())).await;
    let second = trial.grant(&trial.shared(&key, 2, 1)).await;
    trial.release(&first).await;
    trial.held(&trial.shared(&key, 2, 1)).await;
    trial.release(&second).await;
    trial.grant(&trial.shared(&key, 2, 1)).await;
    trial.held(&trial.shared(&key, 2, 1)).await;
}

pub(crate) async fn g7_a_waiter_is_granted_when_a_minimum_hold_ends(trial: &Trial) {
    let (_, lease) = released_early(trial, trial.short().get()).await;
    let request = trial.request(&lease.key, trial.long());
    let waiting = trial.wait(&request);
    trial.pass(trial.short().get()).await;
    let next = trial.soon_granted(waiting, &request).await;
    assert!(next.grant.token > lease.grant.token);
}

/// The end that the waiters know of comes sooner when the holder lets go: they must learn it.
pub(crate) async fn g7_a_release_that_moves_the_end_wakes_a_waiter_in_time(trial: &Trial) {
    let short = trial.short().get();
    let lease = trial.grant(&holding(trial.request(&trial.key("a"), trial.long()), short)).await;
    let request = trial.request(&lease.key, trial.long());
    let waiting = trial.wait(&request);
    trial.settle().await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.pass(short).await;
    trial.soon_granted(waiting, &request).await;
}

pub(crate) async fn g1_a_revocation_ends_a_minimum_hold(trial: &Trial) {
    let (_, lease) = released_early(trial, trial.long().get()).await;
    assert_eq!(trial.revoke(&lease.key).await, 1);
    trial.is_free(&lease.key).await;
}
