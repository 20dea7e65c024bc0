//! What not every backend has: revocation and batches; and what a backend says that it has not.

use leasehold::{Capability, ErrorKind, ExtendRequest, Extension, LockBackend, Release};

use crate::suite::trial::{Lease, Trial, holding};

pub(crate) async fn g1_a_revoked_key_is_free(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    assert_eq!(trial.revoke(&lease.key).await, 1);
    trial.is_free(&lease.key).await;
    assert_eq!(trial.release(&lease).await, Release::NotHeld);
}

pub(crate) async fn g4_a_revoked_holder_touches_nobody(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    trial.revoke(&lease.key).await;
    let next = trial.hold(&lease.key).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Lost);
    assert_eq!(trial.release(&lease).await, Release::NotHeld);
    assert_eq!(trial.release(&next).await, Release::Released);
}

pub(crate) async fn g1_a_revocation_removes_every_shared_lease(trial: &Trial) {
    let key = trial.key("a");
    for _ in 0..3 {
        trial.grant(&trial.read(&key)).await;
    }
    assert_eq!(trial.revoke(&key).await, 3);
    trial.is_free(&key).await;
}

pub(crate) async fn g8_revoking_a_free_key_removes_nothing(trial: &Trial) {
    let key = trial.key("a");
    assert_eq!(trial.revoke(&key).await, 0);
    trial.grant(&trial.request(&key, trial.short())).await;
    trial.pass(trial.short().get()).await;
    assert_eq!(trial.revoke(&key).await, 0);
    trial.is_free(&key).await;
}

async fn extend_many(trial: &Trial, leases: &[&Lease]) -> Vec<Option<Extension>> {
    let Some(batch) = trial.backend.batch() else {
        panic!("the backend declares `batch` but has no batch()");
    };
    let requests: Vec<_> = leases
        .iter()
        .map(|lease| ExtendRequest { key: lease.key.clone(), id: lease.id, ttl: trial.long() })
        .collect();
    let outcomes = batch.extend_many(&requests).await;
    outcomes.into_iter().map(Result::ok).collect()
}

pub(crate) async fn g4_a_batch_answers_each_lease_for_itself_in_order(trial: &Trial) {
    let live = trial.hold(&trial.key("live")).await;
    let released = trial.hold(&trial.key("released")).await;
    trial.release(&released).await;
    let foreign = Lease { id: trial.id(), ..live.clone() };
    let other = trial.hold(&trial.key("other")).await;
    let outcomes = extend_many(trial, &[&live, &released, &foreign, &other, &live]).await;
    let (extended, lost) = (Some(Extension::Extended), Some(Extension::Lost));
    assert_eq!(outcomes, [extended, lost, lost, extended, extended]);
    trial.is_free(&released.key).await;
    assert_eq!(trial.release(&live).await, Release::Released);
}

pub(crate) async fn g3_a_batch_moves_every_end(trial: &Trial) {
    for ttl in trial.scales() {
        let asked = trial.now();
        let mut leases = Vec::new();
        for number in 0..5 {
            let request = trial.request(&trial.key(&number.to_string()), ttl);
            leases.push(trial.grant(&request).await);
        }
        let outcomes = extend_many(trial, &leases.iter().collect::<Vec<_>>()).await;
        if trial.too_late(asked, ttl) {
            trial.pass(ttl.get()).await;
            for lease in &leases {
                trial.release(lease).await;
            }
            continue;
        }
        assert_eq!(outcomes, [Some(Extension::Extended); 5]);
        trial.pass(ttl.get()).await;
        for lease in &leases {
            trial.is_taken(&lease.key).await;
        }
        return;
    }
}

pub(crate) async fn g8_an_empty_batch_has_no_answers(trial: &Trial) {
    assert_eq!(extend_many(trial, &[]).await, []);
}

/// What a backend can't do it refuses by name, before anything happened; it never does half of it.
pub(crate) async fn g8_what_is_not_declared_is_refused_as_unsupported(trial: &Trial) {
    let key = trial.key("a");
    let lacks = |capability| !trial.has(capability);
    if lacks(Capability::Shared) {
        trial.refused(&trial.read(&key), ErrorKind::Unsupported).await;
        trial.refused(&trial.shared(&key, 3, 1), ErrorKind::Unsupported).await;
    }
    if lacks(Capability::SeveralKeys) {
        let all = trial.request_all(&[key.clone(), trial.key("b")], trial.long());
        trial.refused(&all, ErrorKind::Unsupported).await;
    }
    if lacks(Capability::MinHold) {
        let request = holding(trial.request(&key, trial.long()), trial.short().get());
        trial.refused(&request, ErrorKind::Unsupported).await;
    }
    trial.is_free(&key).await;
}

/// What is declared is there, and what is there is declared.
pub(crate) async fn g8_what_is_declared_is_there(trial: &Trial) {
    assert_eq!(trial.backend.admin().is_some(), trial.has(Capability::Revoke));
    assert_eq!(trial.backend.batch().is_some(), trial.has(Capability::Batch));
    assert_eq!(trial.backend.downgrader().is_some(), trial.has(Capability::Downgrade));
    if trial.has(Capability::Queue) {
        return; // The cases of the queue look at it.
    }
    let holder = trial.hold(&trial.key("a")).await;
    let waiting = trial.wait(&trial.request(&holder.key, trial.long()));
    trial.pass(trial.short().get()).await;
    let state = trial.inspect(&holder.key).await;
    assert_eq!(state.waiters, [], "there is a queue");
    trial.cancel(waiting).await;
}
