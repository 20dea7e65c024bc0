//! G4: only the id that holds a lease can extend or release it.

use leasehold::{Extension, LeaseId, Release};

use crate::suite::trial::{Lease, Trial};

pub(crate) async fn g4_a_foreign_id_can_not_extend(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let before = trial.inspect(&lease.key).await;
    let thief = Lease { id: trial.id(), ..lease.clone() };
    assert_eq!(trial.extend(&thief, leasehold::Ttl::MAX).await, Extension::Lost);
    let after = trial.inspect(&lease.key).await;
    assert!(after.leases[0].remaining <= before.leases[0].remaining, "the lease was extended");
    assert_eq!(trial.release(&lease).await, Release::Released);
}

pub(crate) async fn g4_a_foreign_id_can_not_release(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    assert_eq!(trial.give_up(&lease.key, trial.id()).await, Release::NotHeld);
    trial.is_taken(&lease.key).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
}

pub(crate) async fn g4_an_id_must_match_in_every_byte(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    for at in 0..16 {
        let mut bytes = lease.id.expose_bytes();
        bytes[at] ^= 1;
        let near = LeaseId::from_bytes(bytes);
        assert_eq!(trial.give_up(&lease.key, near).await, Release::NotHeld);
    }
    for bytes in [[0; 16], [0xff; 16], *b"\0\r\n {}[]*?\\\":;'%"] {
        let odd = LeaseId::from_bytes(bytes);
        assert_eq!(trial.give_up(&lease.key, odd).await, Release::NotHeld);
    }
    trial.is_taken(&lease.key).await;
}

pub(crate) async fn g4_releasing_twice_is_harmless(trial: &Trial) {
    let first = trial.hold(&trial.key("a")).await;
    assert_eq!(trial.release(&first).await, Release::Released);
    assert_eq!(trial.release(&first).await, Release::NotHeld);
    let second = trial.hold(&first.key).await;
    assert_eq!(trial.release(&first).await, Release::NotHeld);
    trial.is_taken(&first.key).await;
    assert_eq!(trial.release(&second).await, Release::Released);
}

pub(crate) async fn g4_a_late_holder_touches_nobody(trial: &Trial) {
    let key = trial.key("a");
    let late = trial.grant(&trial.request(&key, trial.short())).await;
    trial.pass(trial.short().get()).await;
    let next = trial.hold(&key).await;
    assert_eq!(trial.extend(&late, leasehold::Ttl::MAX).await, Extension::Lost);
    assert_eq!(trial.release(&late).await, Release::NotHeld);
    let state = trial.inspect(&key).await;
    assert_eq!(state.leases.len(), 1);
    assert_eq!(state.leases[0].token, next.grant.token);
    assert!(state.leases[0].remaining <= next.grant.ttl.get() + trial.resolution());
}

pub(crate) async fn g4_a_lease_belongs_to_its_key(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let elsewhere = Lease { key: trial.key("b"), ..lease.clone() };
    assert_eq!(trial.extend(&elsewhere, trial.long()).await, Extension::Lost);
    assert_eq!(trial.release(&elsewhere).await, Release::NotHeld);
    trial.is_taken(&lease.key).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Extended);
    assert_eq!(trial.release(&lease).await, Release::Released);
}

pub(crate) async fn g4_nothing_is_released_where_nothing_was(trial: &Trial) {
    let key = trial.key("a");
    assert_eq!(trial.give_up(&key, trial.id()).await, Release::NotHeld);
    trial.is_free(&key).await;
}

pub(crate) async fn g4_releasing_one_of_two_shared_leases_leaves_the_other(trial: &Trial) {
    let key = trial.key("a");
    let first = trial.grant(&trial.read(&key)).await;
    let second = trial.grant(&trial.read(&key)).await;
    assert_eq!(trial.release(&first).await, Release::Released);
    assert_eq!(trial.extend(&first, trial.long()).await, Extension::Lost);
    trial.is_taken(&key).await;
    assert_eq!(trial.release(&second).await, Release::Released);
    trial.is_free(&key).await;
}
