//! Extending: never shorter, never back from the dead.

use std::time::Duration;

use leasehold::{Extension, Release};

use crate::suite::trial::Trial;

pub(crate) async fn g3_extend_moves_the_end(trial: &Trial) {
    for ttl in trial.scales() {
        let asked = trial.now();
        let lease = trial.grant(&trial.request(&trial.key("a"), ttl)).await;
        let extended = trial.extend(&lease, trial.long()).await;
        if trial.too_late(asked, ttl) {
            trial.pass(ttl.get()).await;
            trial.release(&lease).await;
            continue;
        }
        assert_eq!(extended, Extension::Extended);
        trial.pass(ttl.get()).await;
        trial.is_taken(&lease.key).await;
        assert_eq!(trial.release(&lease).await, Release::Released);
        return;
    }
}

pub(crate) async fn g3_extend_counts_from_now(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    trial.pass(trial.short().get()).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Extended);
    let remaining = trial.inspect(&lease.key).await.leases[0].remaining;
    assert!(remaining <= trial.long().get() + trial.resolution(), "too long: {remaining:?}");
    if trial.is_virtual() {
        assert!(remaining >= trial.long().get(), "too short: {remaining:?}");
    }
}

pub(crate) async fn g3_extend_never_shortens(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    assert_eq!(trial.extend(&lease, trial.short()).await, Extension::Extended);
    trial.pass(trial.short().get()).await;
    trial.is_taken(&lease.key).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
}

pub(crate) async fn g3_extend_never_brings_a_lease_back(trial: &Trial) {
    let key = trial.key("a");
    let lease = trial.grant(&trial.request(&key, trial.short())).await;
    trial.pass(trial.short().get() * 2).await;
    for _ in 0..2 {
        assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Lost);
    }
    trial.is_free(&key).await;
}

pub(crate) async fn g3_extend_after_release_is_lost(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    trial.release(&lease).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Lost);
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g3_extend_of_what_never_was_is_lost_and_makes_nothing(trial: &Trial) {
    let key = trial.key("a");
    let outcome = trial.backend.extend(&key, trial.id(), trial.long()).await;
    assert_eq!(outcome.ok(), Some(Extension::Lost));
    trial.is_free(&key).await;
}

pub(crate) async fn g3_extend_after_a_revocation_is_lost(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    trial.revoke(&lease.key).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Lost);
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g2_extend_keeps_token_and_age(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    trial.pass(trial.short().get()).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Extended);
    let state = trial.inspect(&lease.key).await;
    assert_eq!(state.leases[0].token, lease.grant.token);
    assert!(state.leases[0].age >= trial.short().get() * 19 / 20, "counted from the extension");
}

pub(crate) async fn g4_extend_moves_only_its_own_shared_lease(trial: &Trial) {
    let key = trial.key("a");
    let brief = trial.grant(&trial.read_for(&key, trial.short())).await;
    let kept = trial.grant(&trial.read(&key)).await;
    assert_eq!(trial.extend(&kept, trial.long()).await, Extension::Extended);
    trial.pass(trial.short().get()).await;
    let state = trial.inspect(&key).await;
    let tokens: Vec<_> = state.leases.iter().map(|lease| lease.token).collect();
    assert_eq!(tokens, [kept.grant.token]);
    assert_eq!(trial.extend(&brief, trial.long()).await, Extension::Lost);
}

/// Many extensions in a row keep a lease alive far beyond its first end, each from its own now.
pub(crate) async fn g3_extend_again_and_again_keeps_it(trial: &Trial) {
    let long = trial.long().get();
    let lease = trial.hold(&trial.key("a")).await;
    for _ in 0..5 {
        trial.pass_exactly(long - Duration::from_micros(1)).await;
        assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Extended);
    }
    assert_eq!(trial.release(&lease).await, Release::Released);
}
