//! One id is one acquisition: it can be repeated while it lives, and never comes back.

use leasehold::{ErrorKind, Limit, Mode, Release, TryAcquire};

use crate::suite::trial::{Trial, in_mode};

pub(crate) async fn g8_a_repeated_acquire_gets_the_same_token(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.long());
    let first = trial.grant(&request).await;
    let again = trial.grant(&request).await;
    assert_eq!(again.grant.token, first.grant.token);
    assert_eq!(trial.inspect(&first.key).await.leases.len(), 1);
    assert_eq!(trial.release(&first).await, Release::Released);
    trial.is_free(&first.key).await;
}

pub(crate) async fn g8_a_repeated_acquire_refreshes_the_end(trial: &Trial) {
    for ttl in trial.scales() {
        let asked = trial.now();
        let request = trial.request(&trial.key("a"), ttl);
        let lease = trial.grant(&request).await;
        let longer = leasehold::AcquireRequest::new(lease.key.clone(), lease.id, trial.long());
        let again = trial.grant(&longer).await;
        if trial.too_late(asked, ttl) {
            trial.release(&lease).await;
            continue;
        }
        assert_eq!(again.grant.token, lease.grant.token);
        trial.pass(ttl.get()).await;
        trial.is_taken(&lease.key).await;
        return;
    }
}

pub(crate) async fn g8_a_repeated_acquire_never_shortens(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let shorter = leasehold::AcquireRequest::new(lease.key.clone(), lease.id, trial.short());
    assert_eq!(trial.grant(&shorter).await.grant.token, lease.grant.token);
    trial.pass(trial.short().get()).await;
    trial.is_taken(&lease.key).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
}

pub(crate) async fn g8_a_repeated_shared_acquire_takes_its_permits_once(trial: &Trial) {
    let key = trial.key("a");
    let request = trial.shared(&key, 3, 2);
    let first = trial.grant(&request).await;
    assert_eq!(trial.grant(&request).await.grant.token, first.grant.token);
    trial.grant(&trial.shared(&key, 3, 1)).await;
    trial.held(&trial.shared(&key, 3, 1)).await;
}

pub(crate) async fn g8_an_id_can_not_change_what_it_holds(trial: &Trial) {
    let key = trial.key("a");
    let request = trial.shared(&key, 4, 2);
    let lease = trial.grant(&request).await;
    let four = Limit::new(4).unwrap_or(Limit::UNLIMITED);
    let other_limit = Limit::new(5).unwrap_or(Limit::UNLIMITED);
    for (mode, permits) in [
        (Mode::Exclusive, 1),
        (Mode::READ, 2),
        (Mode::Shared { limit: other_limit }, 2),
        (Mode::Shared { limit: four }, 1),
        (Mode::Shared { limit: four }, 3),
    ] {
        trial.refused(&in_mode(request.clone(), mode, permits), ErrorKind::IdReused).await;
    }
    let state = trial.inspect(&key).await;
    assert_eq!((state.leases[0].mode, state.leases[0].permits), (request.mode(), 2));
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.is_free(&key).await;
}

pub(crate) async fn g8_an_exclusive_id_can_not_become_shared(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let shared = leasehold::AcquireRequest::new(lease.key.clone(), lease.id, trial.long());
    trial.refused(&in_mode(shared, Mode::READ, 1), ErrorKind::IdReused).await;
    trial.held(&trial.read(&lease.key)).await;
}

/// A call that was sent again must not take the key for a holder that has long gone.
pub(crate) async fn g5_a_late_duplicate_of_a_released_acquire_grants_nobody(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.long());
    let lease = trial.grant(&request).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.refused(&request, ErrorKind::IdReused).await;
    trial.is_free(&lease.key).await;
    trial.refused(&request, ErrorKind::IdReused).await;
}

/// A client that gave up must stay free of a lease, also when its release overtook its acquire.
pub(crate) async fn g5_an_id_given_up_before_its_acquire_arrives_is_not_granted(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.long());
    assert_eq!(trial.give_up(request.key(), request.id()).await, Release::NotHeld);
    trial.refused(&request, ErrorKind::IdReused).await;
    trial.is_free(request.key()).await;
}

pub(crate) async fn g5_an_id_given_up_while_held_by_another_is_not_granted(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    trial.held(&request).await;
    assert_eq!(trial.give_up(&holder.key, request.id()).await, Release::NotHeld);
    assert_eq!(trial.release(&holder).await, Release::Released);
    trial.refused(&request, ErrorKind::IdReused).await;
    trial.is_free(&holder.key).await;
}

pub(crate) async fn g5_an_id_given_up_is_not_granted_by_waiting(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.long());
    trial.give_up(request.key(), request.id()).await;
    let waiting = trial.wait(&request);
    let error = match trial.soon(waiting).await {
        Err(error) => error,
        Ok(outcome) => panic!("a given-up id got {outcome:?}"),
    };
    assert_eq!(error.kind(), ErrorKind::IdReused);
    trial.is_free(request.key()).await;
}

pub(crate) async fn g8_an_id_may_try_until_it_is_granted(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    trial.held(&request).await;
    trial.held(&request).await;
    trial.release(&holder).await;
    let outcome = trial.try_acquire(&request).await;
    assert!(matches!(outcome, TryAcquire::Granted(_)), "{outcome:?}");
}
