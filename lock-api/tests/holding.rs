//! Keeping a lease, and learning of its loss in time.

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use leasehold::{Config, Extension, Locker, Loss, Timestamp};
use leasehold_memory::MemoryBackend;
use support::{Faults, Faulty, assert_untouched, manual, ms, secs};

#[tokio::test]
async fn a_kept_lease_outlives_its_ttl_and_ends_with_its_guard() {
    let (locker, _, clock) = manual();
    let guard = locker.lock("k").ttl(secs(5)).keep_alive().await.unwrap();
    clock.advance(secs(600)).await;
    assert!(guard.is_valid());
    assert!(locker.is_locked("k").await.unwrap());
    drop(guard);
    clock.settle().await;
    assert_untouched(&locker, "k").await;
    clock.advance(secs(60)).await;
    assert_untouched(&locker, "k").await;
}

#[tokio::test]
async fn a_lease_without_keep_alive_is_lost_at_valid_until_and_expiring_before() {
    let (locker, _, clock) = manual();
    let guard = locker.lock("k").ttl(secs(10)).await.unwrap();
    let valid_until = guard.valid_until();
    assert_eq!(valid_until, locker.runtime().now() + ms(9_898), "1 % and 2 ms off");
    let seen = |what: &'static str, future: futures::future::BoxFuture<'static, ()>| {
        let runtime = locker.runtime().clone();
        tokio::spawn(async move {
            future.await;
            (what, runtime.now())
        })
    };
    let lost = guard.lost();
    let token = guard.lost_token();
    let expiring = seen("expiring", Box::pin(guard.expiring()));
    let lost = seen("lost", Box::pin(async move { assert_eq!(lost.await, Loss::Expired) }));
    let cancelled = seen("cancelled", Box::pin(async move { token.cancelled().await }));
    clock.advance(secs(60)).await;
    assert_eq!(expiring.await.unwrap().1, valid_until.before(ms(2_500)));
    assert_eq!(lost.await.unwrap().1, valid_until);
    assert_eq!(cancelled.await.unwrap().1, valid_until);
    assert_eq!(guard.loss(), Some(Loss::Expired));
}

#[tokio::test]
async fn loss_is_told_on_time_while_the_server_is_frozen() {
    let (locker, faults, clock) = manual();
    let guard = locker.lock("k").ttl(secs(6)).keep_alive().await.unwrap();
    clock.advance(secs(3)).await;
    let renewed_until = guard.valid_until();
    faults.freeze(true);
    let lost = guard.lost();
    let runtime = locker.runtime().clone();
    let told = tokio::spawn(async move { (lost.await, runtime.now()) });
    clock.advance(secs(30)).await;
    let (loss, at) = told.await.unwrap();
    assert_eq!((loss, at), (Loss::Expired, renewed_until));
}

#[tokio::test]
async fn is_valid_compares_the_clock_and_waits_for_no_timer() {
    let (locker, _, clock) = manual();
    let guard = locker.lock("k").ttl(secs(10)).await.unwrap();
    let valid_until = guard.valid_until();
    clock.jump_to(valid_until.before(std::time::Duration::from_nanos(1)));
    assert!(guard.is_valid());
    clock.jump_to(valid_until);
    assert!(!guard.is_valid(), "no task has run since the clock moved");
    assert_eq!(guard.loss(), Some(Loss::Expired));
}

#[tokio::test]
async fn a_holder_that_wakes_too_late_learns_of_its_loss_before_its_body_goes_on() {
    let (locker, _, clock) = manual();
    let went_on = AtomicBool::new(false);
    let with = locker.lock("k").ttl(secs(5)).with(async |_| {
        tokio::task::yield_now().await;
        went_on.store(true, Ordering::SeqCst);
    });
    let mut with = std::pin::pin!(with);
    assert!(support::poll_now(with.as_mut()).is_none());
    // The machine stops here for longer than the lease lasts, and no timer has fired yet.
    clock.jump_to(locker.runtime().now() + secs(60));
    assert!(support::poll_alone(with).unwrap_err().is_lease_lost());
    assert!(!went_on.load(Ordering::SeqCst));
}

#[tokio::test]
async fn with_stops_the_body_at_the_local_deadline_and_returns_the_loss() {
    let (locker, faults, clock) = manual();
    let went_on = Arc::new(AtomicBool::new(false));
    let (body, seen) = (locker.clone(), Arc::clone(&went_on));
    let with = tokio::spawn(async move {
        let runtime = body.runtime().clone();
        let stopped = body.lock("k").ttl(secs(5)).keep_alive().with(async |_| {
            runtime.sleep(secs(100)).await;
            seen.store(true, Ordering::SeqCst);
        });
        (stopped.await, body.runtime().now())
    });
    clock.settle().await;
    faults.freeze(true);
    clock.advance(secs(200)).await;
    let (stopped, at) = with.await.unwrap();
    assert!(stopped.unwrap_err().is_lease_lost());
    assert_eq!(at, Timestamp::ORIGIN + ms(4_948));
    assert!(!went_on.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_failed_renewal_is_tried_again_and_does_not_end_the_lease() {
    let (locker, faults, clock) = manual();
    let guard = locker.lock("k").ttl(secs(6)).keep_alive().await.unwrap();
    for _ in 0..20 {
        faults.freeze(true);
        clock.advance(secs(3)).await;
        faults.freeze(false);
        clock.advance(secs(3)).await;
        assert!(guard.is_valid());
    }
}

#[tokio::test]
async fn a_renewal_is_never_sent_while_the_last_one_is_on_its_way() {
    let (locker, faults, clock) = manual();
    *faults.slow_extend.lock().unwrap() = ms(900);
    let guard = locker.lock("k").ttl(secs(6)).keep_alive().await.unwrap();
    clock.advance(ms(59_500)).await;
    assert!(guard.is_valid());
    assert!(Faults::count(&faults.batches) > 20);
    assert!(guard.remaining() <= locker.inspect("k").await.unwrap().leases[0].remaining);
    faults.freeze(true);
    clock.advance(secs(10)).await;
    assert!(guard.loss().is_some());
    assert_eq!(Faults::count(&faults.most_extending), 1, "also while it is expiring");
}

#[tokio::test]
async fn a_longer_extension_is_not_shortened_by_keep_alive() {
    let (locker, _, clock) = manual();
    let guard = locker.lock("k").ttl(secs(6)).keep_alive().await.unwrap();
    assert_eq!(guard.extend(secs(60)).await.unwrap(), Extension::Extended);
    let extended = guard.valid_until();
    clock.advance(secs(20)).await;
    assert_eq!(guard.valid_until(), extended);
    let state = locker.inspect("k").await.unwrap();
    assert_eq!(state.leases[0].remaining, secs(40));
}

#[tokio::test]
async fn a_lease_is_not_renewed_past_its_maximum_lifetime() {
    let (locker, _, clock) = manual();
    let request = locker.lock("k").ttl(secs(6)).keep_alive().max_lifetime(secs(30));
    let guard = request.await.unwrap();
    clock.advance(secs(29)).await;
    assert!(guard.is_valid());
    clock.advance(secs(7)).await;
    assert_eq!(guard.loss(), Some(Loss::Expired));
    assert!(!locker.is_locked("k").await.unwrap());
}

#[tokio::test]
async fn a_lost_lease_is_not_brought_back_by_an_extension() {
    let (locker, faults, clock) = manual();
    let guard = locker.lock("k").ttl(secs(5)).await.unwrap();
    clock.advance(ms(4_948)).await;
    let calls = faults.calls();
    assert_eq!(guard.extend(secs(5)).await.unwrap(), Extension::Lost);
    assert_eq!(faults.calls(), calls, "past the local deadline nobody is asked");
}

#[tokio::test]
async fn a_revoked_lease_is_lost_at_once() {
    let (locker, _, clock) = manual();
    let guard = locker.acquire("k").await.unwrap();
    let other = locker.acquire("other").await.unwrap();
    clock.settle().await;
    assert_eq!(locker.revoke("k").await.unwrap().leases, 1);
    assert_eq!(guard.loss(), Some(Loss::Revoked));
    assert_eq!(guard.lost().await, Loss::Revoked);
    assert!(other.is_valid());
    assert!(locker.acquire("k").await.unwrap().token() > guard.token());
}

#[tokio::test]
async fn a_lease_that_the_backend_refuses_to_renew_is_lost_with_that_renewal() {
    let (locker, faults, clock) = manual();
    let guard = locker.lock("k").ttl(secs(6)).keep_alive().await.unwrap();
    let state = locker.inspect("k").await.unwrap();
    assert_eq!(state.leases.len(), 1);
    faults.forget_leases(true);
    clock.advance(secs(2)).await;
    assert_eq!(guard.loss(), Some(Loss::Refused));
}

#[tokio::test]
async fn thousands_of_leases_are_renewed_in_batches() {
    let (memory, clock) = MemoryBackend::manual(7);
    let faulty = Faulty::new(memory);
    let faults = Arc::clone(&faulty.faults);
    let config = Config::builder().ttl(secs(30)).keep_alive(true).build().unwrap();
    let locker = Locker::from_arc(Arc::new(faulty), config);
    let mut guards = Vec::new();
    for n in 0..3_000 {
        guards.push(locker.acquire(format!("k{n}")).await.unwrap());
    }
    clock.advance(secs(300)).await;
    assert!(guards.iter().all(|guard| guard.is_valid()));
    let (leases, batches) = (Faults::count(&faults.extends), Faults::count(&faults.batches));
    assert!(leases >= 3_000 * 29, "each is renewed about every 10 s: {leases}");
    assert!(leases / batches >= 5, "{leases} renewals in {batches} batches");
}
