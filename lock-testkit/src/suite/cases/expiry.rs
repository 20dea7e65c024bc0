//! G1 and G4 at the end of a lease: live in `[t, t + ttl)`, dead at `t + ttl + resolution`.

use std::time::Duration;

use leasehold::{Extension, Release, Ttl};

use crate::suite::trial::{Lease, Trial, ttl};

const MICROSECOND: Duration = Duration::from_micros(1);

pub(crate) async fn g1_a_lease_is_live_until_its_end(trial: &Trial) {
    for ttl in trial.scales() {
        let asked = trial.now();
        let lease = trial.grant(&trial.request(&trial.key("a"), ttl)).await;
        trial.pass_exactly(ttl.get() - MICROSECOND).await;
        let other = trial.try_acquire(&trial.request(&lease.key, trial.long())).await;
        let released = trial.release(&lease).await;
        if trial.too_late(asked, ttl) && !trial.is_virtual() {
            trial.pass(ttl.get()).await;
            continue;
        }
        assert!(matches!(other, leasehold::TryAcquire::Held(_)), "{other:?}");
        assert_eq!(released, Release::Released);
        return;
    }
}

pub(crate) async fn g1_a_lease_is_dead_at_its_end(trial: &Trial) {
    let lease = run_out(trial, Duration::ZERO).await;
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g1_a_lease_is_dead_after_its_end(trial: &Trial) {
    let lease = run_out(trial, MICROSECOND).await;
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g1_an_ended_lease_is_not_shown(trial: &Trial) {
    let lease = run_out(trial, Duration::ZERO).await;
    assert_eq!(trial.inspect(&lease.key).await.leases, []);
}

pub(crate) async fn g4_a_lease_can_not_be_released_at_its_end(trial: &Trial) {
    let lease = run_out(trial, Duration::ZERO).await;
    assert_eq!(trial.release(&lease).await, Release::NotHeld);
}

pub(crate) async fn g3_a_lease_can_not_be_extended_at_its_end(trial: &Trial) {
    let lease = run_out(trial, Duration::ZERO).await;
    assert_eq!(trial.extend(&lease, trial.long()).await, Extension::Lost);
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g3_an_extended_lease_is_dead_at_its_new_end(trial: &Trial) {
    for ttl in trial.scales() {
        let asked = trial.now();
        let lease = trial.grant(&trial.request(&trial.key("a"), ttl)).await;
        trial.pass_exactly(ttl.get() / 2).await;
        let extended = trial.extend(&lease, ttl).await;
        if trial.too_late(asked, ttl) {
            trial.pass(ttl.get()).await;
            continue;
        }
        assert_eq!(extended, Extension::Extended);
        trial.pass(ttl.get()).await;
        trial.is_free(&lease.key).await;
        return;
    }
}

pub(crate) async fn g1_the_shortest_lease_ends(trial: &Trial) {
    let lease = trial.grant(&trial.request(&trial.key("a"), Ttl::MIN)).await;
    trial.pass(Ttl::MIN.get()).await;
    trial.is_free(&lease.key).await;
}

pub(crate) async fn g1_the_longest_lease_lives_and_is_released(trial: &Trial) {
    let lease = trial.grant(&trial.request(&trial.key("a"), Ttl::MAX)).await;
    trial.pass(trial.short().get()).await;
    trial.is_taken(&lease.key).await;
    assert_eq!(trial.extend(&lease, Ttl::MAX).await, Extension::Extended);
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.is_free(&lease.key).await;
}

/// A ttl between two whole seconds and between two whole milliseconds is neither rounded to the one nor the other.
pub(crate) async fn g1_each_lease_of_a_series_ends_by_itself(trial: &Trial) {
    let lengths = [3_001, 17_500, 50_999].map(|micros| ttl(Duration::from_micros(micros)));
    for (index, ttl) in lengths.into_iter().enumerate() {
        let key = trial.key(&index.to_string());
        trial.grant(&trial.request(&key, ttl)).await;
        if trial.pass_exactly(ttl.get() - MICROSECOND).await {
            trial.is_taken(&key).await;
            trial.pass_exactly(MICROSECOND).await;
        }
        trial.pass(if trial.is_virtual() { Duration::ZERO } else { ttl.get() }).await;
        trial.is_free(&key).await;
    }
}

/// A lease that ran out: its end, and `more`, have come.
async fn run_out(trial: &Trial, more: Duration) -> Lease {
    let ttl = trial.short();
    let lease = trial.grant(&trial.request(&trial.key("a"), ttl)).await;
    trial.pass(ttl.get() + more).await;
    lease
}
