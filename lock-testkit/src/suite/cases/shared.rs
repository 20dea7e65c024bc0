//! G1 for shared leases: permits, limits, readers beside writers.

use leasehold::{AcquireRequest, ErrorKind, HeldReason, Limit, Mode, Release, TryAcquire};

use crate::suite::trial::{Trial, in_mode};

pub(crate) async fn g1_permits_are_granted_up_to_the_limit(trial: &Trial) {
    let key = trial.key("a");
    for _ in 0..3 {
        trial.grant(&trial.shared(&key, 3, 1)).await;
    }
    let held = trial.held(&trial.shared(&key, 3, 1)).await;
    assert_eq!(held.reason, HeldReason::Lease);
}

pub(crate) async fn g1_permits_are_counted_not_leases(trial: &Trial) {
    let key = trial.key("a");
    trial.grant(&trial.shared(&key, 5, 3)).await;
    trial.held(&trial.shared(&key, 5, 3)).await;
    trial.grant(&trial.shared(&key, 5, 2)).await;
    trial.held(&trial.shared(&key, 5, 1)).await;
}

pub(crate) async fn g1_a_returned_permit_makes_room(trial: &Trial) {
    let key = trial.key("a");
    let first = trial.grant(&trial.shared(&key, 2, 1)).await;
    trial.grant(&trial.shared(&key, 2, 1)).await;
    assert_eq!(trial.release(&first).await, Release::Released);
    trial.grant(&trial.shared(&key, 2, 1)).await;
    trial.held(&trial.shared(&key, 2, 1)).await;
}

pub(crate) async fn g1_a_permit_that_ran_out_makes_room(trial: &Trial) {
    let key = trial.key("a");
    trial.grant(&trial.shared(&key, 2, 1)).await;
    let brief = AcquireRequest::new(key.clone(), trial.id(), trial.short());
    trial.grant(&in_mode(brief, trial.shared(&key, 2, 1).mode(), 1)).await;
    trial.pass(trial.short().get()).await;
    trial.grant(&trial.shared(&key, 2, 1)).await;
    trial.held(&trial.shared(&key, 2, 1)).await;
}

pub(crate) async fn g1_racing_tries_never_exceed_the_limit(trial: &Trial) {
    let key = trial.key("a");
    let requests: Vec<_> = (0..16).map(|_| trial.shared(&key, 5, 2)).collect();
    let tries = requests.iter().map(|request| trial.try_acquire(request));
    let outcomes = futures::future::join_all(tries).await;
    let granted = |outcome: &&TryAcquire| matches!(outcome, TryAcquire::Granted(_));
    assert_eq!(outcomes.iter().filter(granted).count(), 2, "{outcomes:?}");
}

pub(crate) async fn g1_readers_are_not_limited(trial: &Trial) {
    let key = trial.key("a");
    for _ in 0..40 {
        trial.grant(&trial.read(&key)).await;
    }
    assert_eq!(trial.inspect(&key).await.leases.len(), 40);
}

pub(crate) async fn g1_a_writer_is_held_by_readers(trial: &Trial) {
    let key = trial.key("a");
    let readers = [trial.grant(&trial.read(&key)).await, trial.grant(&trial.read(&key)).await];
    for reader in readers {
        trial.is_taken(&key).await;
        assert_eq!(trial.release(&reader).await, Release::Released);
    }
    trial.is_free(&key).await;
}

pub(crate) async fn g1_readers_are_held_by_a_writer(trial: &Trial) {
    let writer = trial.hold(&trial.key("a")).await;
    trial.held(&trial.read(&writer.key)).await;
    trial.held(&trial.shared(&writer.key, 5, 1)).await;
    assert_eq!(trial.release(&writer).await, Release::Released);
    trial.grant(&trial.read(&writer.key)).await;
}

/// The smallest limit among the live leases and the request binds, whoever brings it.
pub(crate) async fn g1_the_smallest_limit_binds(trial: &Trial) {
    let readers_first = trial.key("readers");
    trial.grant(&trial.read(&readers_first)).await;
    trial.grant(&trial.read(&readers_first)).await;
    trial.held(&trial.shared(&readers_first, 2, 1)).await;
    trial.grant(&trial.shared(&readers_first, 3, 1)).await;
    trial.held(&trial.read(&readers_first)).await;

    let limited_first = trial.key("limited");
    trial.grant(&trial.shared(&limited_first, 2, 1)).await;
    trial.grant(&trial.read(&limited_first)).await;
    trial.held(&trial.read(&limited_first)).await;
}

pub(crate) async fn g1_a_limit_goes_with_its_lease(trial: &Trial) {
    let key = trial.key("a");
    let limited = trial.grant(&trial.shared(&key, 1, 1)).await;
    trial.held(&trial.read(&key)).await;
    assert_eq!(trial.release(&limited).await, Release::Released);
    trial.grant(&trial.read(&key)).await;
    trial.grant(&trial.read(&key)).await;
}

pub(crate) async fn g8_two_limits_on_one_key_are_an_error(trial: &Trial) {
    let key = trial.key("a");
    let lease = trial.grant(&trial.shared(&key, 3, 1)).await;
    trial.refused(&trial.shared(&key, 4, 1), ErrorKind::LimitMismatch).await;
    trial.refused(&trial.shared(&key, 2, 1), ErrorKind::LimitMismatch).await;
    trial.grant(&trial.read(&key)).await;
    assert_eq!(trial.inspect(&key).await.leases.len(), 2);
    trial.release(&lease).await;
    trial.grant(&trial.shared(&key, 4, 1)).await;
}

pub(crate) async fn g8_the_limit_of_a_waiter_is_in_use_too(trial: &Trial) {
    let writer = trial.hold(&trial.key("a")).await;
    let waiter = trial.shared(&writer.key, 3, 1);
    let waiting = trial.queue(&waiter, 1).await;
    trial.refused(&trial.shared(&writer.key, 4, 1), ErrorKind::LimitMismatch).await;
    assert_eq!(trial.release(&writer).await, Release::Released);
    let permit = trial.soon_granted(waiting, &waiter).await;
    assert_eq!(trial.release(&permit).await, Release::Released);
    trial.grant(&trial.shared(&writer.key, 4, 1)).await;
}

pub(crate) async fn g1_the_largest_limit_and_its_permits_count_exactly(trial: &Trial) {
    let key = trial.key("a");
    let limit = Limit::new(u32::MAX).unwrap_or(Limit::UNLIMITED);
    let most = in_mode(trial.request(&key, trial.long()), Mode::Shared { limit }, u32::MAX - 1);
    trial.grant(&most).await;
    trial.held(&trial.shared(&key, u32::MAX, 2)).await;
    trial.grant(&trial.shared(&key, u32::MAX, 1)).await;
    trial.held(&trial.shared(&key, u32::MAX, 1)).await;
}

pub(crate) async fn g1_unlimited_permits_do_not_overflow(trial: &Trial) {
    let key = trial.key("a");
    for _ in 0..3 {
        let most = in_mode(trial.request(&key, trial.long()), Mode::READ, u32::MAX);
        trial.grant(&most).await;
    }
    trial.held(&trial.shared(&key, u32::MAX, 1)).await;
}
