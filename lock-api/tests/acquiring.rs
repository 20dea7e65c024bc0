//! Taking locks through the façade.

mod support;

use std::{sync::Arc, time::Duration};

use leasehold::{
    Backoff, Config, Effect, ErrorKind, FencingToken, HeldReason, Limit, LockBackend, Locker, Mode,
    Release, Result,
};
use leasehold_memory::MemoryBackend;
use support::{Faults, assert_untouched, manual, ms, secs};

#[tokio::test]
async fn a_released_key_is_free_and_its_next_token_is_greater() {
    let (locker, _, _clock) = manual();
    let first = locker.acquire("k").await.unwrap();
    let token = first.token();
    assert!(locker.is_locked("k").await.unwrap());
    assert_eq!(first.release().await.unwrap(), Release::Released);
    assert_untouched(&locker, "k").await;
    assert!(locker.acquire("k").await.unwrap().token() > token);
}

#[tokio::test]
async fn a_held_key_is_none_to_a_try_and_a_timeout_to_fail_fast() {
    let (locker, _, _clock) = manual();
    let _guard = locker.lock("k").label("worker-7").await.unwrap();
    assert!(locker.try_acquire("k").await.unwrap().is_none());
    let error = locker.lock("k").fail_fast().await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Timeout, Effect::None));
    assert!(error.is_retryable() && error.is_timeout());
    let held = error.held().unwrap();
    assert_eq!(held.reason, HeldReason::Lease);
    assert_eq!(held.holders[0].label(), Some("worker-7"));
    assert_eq!(error.retry_after(), Some(secs(30)));
    assert!(error.to_string().contains("worker-7"), "{error}");
}

#[tokio::test]
async fn a_timed_acquire_ends_at_its_deadline_exactly() {
    let (locker, _, clock) = manual();
    let _guard = locker.acquire("k").await.unwrap();
    let waiter = locker.clone();
    let waiting = tokio::spawn(async move {
        let started = waiter.runtime().now();
        let error = waiter.lock("k").wait(ms(1500)).await.unwrap_err();
        (error.kind(), waiter.runtime().now().since(started))
    });
    clock.advance(secs(10)).await;
    assert_eq!(waiting.await.unwrap(), (ErrorKind::Timeout, ms(1500)));
    assert!(locker.inspect("k").await.unwrap().waiters.is_empty());
}

#[tokio::test]
async fn a_waiter_gets_the_key_when_it_is_released_and_when_it_runs_out() {
    let (locker, _, clock) = manual();
    for released in [true, false] {
        let guard = locker.lock("k").ttl(secs(2)).await.unwrap();
        let waiter = locker.clone();
        let waiting = tokio::spawn(async move { waiter.lock("k").wait_forever().await.unwrap() });
        clock.advance(ms(10)).await;
        if released {
            guard.release().await.unwrap();
            clock.settle().await;
        } else {
            clock.advance(secs(2)).await;
            assert_eq!(guard.release().await.unwrap(), Release::NotHeld);
        }
        assert!(waiting.is_finished());
        waiting.await.unwrap().release().await.unwrap();
    }
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_sent() {
    let (locker, faults, _clock) = manual();
    let limit = Limit::new(2).unwrap();
    let shared = Mode::Shared { limit };
    let refused = [
        (locker.lock("k").ttl(Duration::ZERO), "invalid ttl: must be at least 1ms, value=`0ns`"),
        (locker.lock("k").ttl(ms(1) - Duration::from_nanos(1)), "at least 1ms"),
        (locker.lock("k").ttl(ms(2)), "above the drift allowance of 2.02ms, value=`2ms`"),
        (locker.lock("k").ttl(secs(61)), "at most max_ttl = 60s, value=`61s`"),
        (locker.lock("k").ttl(Duration::MAX), "invalid ttl: must be at most 30 days"),
        (locker.lock(""), "invalid key: must be at least 1 byte"),
        (locker.lock("x".repeat(513)), "invalid key: must be at most 512 bytes, value=`513 bytes`"),
        (locker.lock("a\u{7}b"), "free of control characters"),
        (locker.lock("k").mode(shared).permits(0), "invalid permits: must be at least 1"),
        (locker.lock("k").mode(shared).permits(3), "at most the limit of 2, value=`3`"),
        (locker.lock("k").permits(2), "1 for an exclusive lease"),
        (locker.lock("k").min_hold(secs(31)), "invalid min_hold: must be at most the ttl of 30s"),
        (locker.lock("k").label("a\nb"), "invalid label: must be free of control characters"),
    ];
    for (request, said) in refused {
        let error = request.try_acquire().await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
        assert!(error.to_string().contains(said), "{error}\n  should say: {said}");
    }
    let guard = locker.acquire("k").await.unwrap();
    let calls = faults.calls();
    assert_eq!(guard.extend(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(faults.calls(), calls);
    assert!(guard.is_valid());
}

#[tokio::test]
async fn keys_with_braces_and_globs_are_keys_of_their_own() {
    let (locker, _, _clock) = manual();
    let mut guards = Vec::new();
    for key in ["{a}", "}a{", "a*", "a?", "[a]", "a\\", "a b", "ä", "a:q"] {
        guards.push(locker.lock(key).fail_fast().await.unwrap());
    }
    assert_eq!(guards.len(), 9);
}

#[tokio::test]
async fn permits_are_shared_up_to_their_limit() {
    let (locker, _, _clock) = manual();
    let limit = Limit::new(3).unwrap();
    let permit = |n| locker.lock("gpu").mode(Mode::Shared { limit }).permits(n).try_acquire();
    let two = permit(2).await.unwrap().unwrap();
    assert!(permit(2).await.unwrap().is_none());
    let one = permit(1).await.unwrap().unwrap();
    assert!(one.token() > two.token());
    two.release().await.unwrap();
    assert!(permit(2).await.unwrap().is_some());
}

#[tokio::test]
async fn a_minimum_hold_outlives_the_release() {
    let (locker, _, clock) = manual();
    let guard = locker.lock("cron").ttl(secs(30)).min_hold(secs(20)).await.unwrap();
    assert_eq!(guard.release().await.unwrap(), Release::Released);
    clock.advance(ms(19_999)).await;
    assert!(locker.try_acquire("cron").await.unwrap().is_none());
    clock.advance(ms(1)).await;
    assert!(locker.try_acquire("cron").await.unwrap().is_some());
}

#[tokio::test]
async fn dropping_a_guard_releases_in_the_background() {
    let (locker, faults, clock) = manual();
    drop(locker.acquire("k").await.unwrap());
    clock.settle().await;
    assert_untouched(&locker, "k").await;
    assert_eq!(Faults::count(&faults.releases), 1);
}

#[tokio::test]
async fn a_guard_can_be_dropped_outside_of_any_runtime() {
    let (locker, _, clock) = manual();
    let guard = locker.acquire("k").await.unwrap();
    std::thread::spawn(move || drop(guard)).join().unwrap();
    clock.settle().await;
    assert_untouched(&locker, "k").await;
}

#[tokio::test]
async fn a_silent_backend_is_an_error_with_an_unknown_effect_and_leaves_nothing() {
    let (locker, faults, clock) = manual();
    faults.mute(true);
    let asking = locker.clone();
    let asking = tokio::spawn(async move { asking.try_acquire("k").await.unwrap_err() });
    clock.advance(secs(1)).await;
    faults.mute(false);
    let error = asking.await.unwrap();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Unknown));
    assert_eq!(error.key().unwrap().as_str(), "k");
    clock.settle().await;
    assert_untouched(&locker, "k").await;
}

#[tokio::test]
async fn a_locker_works_as_static_generic_and_as_dyn() {
    async fn token_of<B: LockBackend + ?Sized>(locker: &Locker<B>) -> Result<u64> {
        locker.with("k", async |lease| lease.token().get()).await
    }
    let shared: Arc<dyn LockBackend> = Arc::new(MemoryBackend::new());
    let dynamic: Locker = Locker::new(Arc::clone(&shared));
    let typed: Locker<Arc<dyn LockBackend>> = Locker::typed(Arc::clone(&shared));
    let unsized_: Locker = Locker::from_arc(shared, Config::default());
    let first = token_of(&dynamic).await.unwrap();
    let second = token_of(&typed).await.unwrap();
    assert!(first < second && second < token_of(&unsized_).await.unwrap());
}

#[tokio::test]
async fn with_can_be_spawned_and_returns_what_the_body_returned() {
    let locker = Locker::new(MemoryBackend::new());
    let spawned = {
        let locker = locker.clone();
        tokio::spawn(async move {
            let body = async |lease: leasehold::Lease| {
                tokio::task::yield_now().await;
                assert!(lease.is_valid());
                Err::<(), _>("the body's own error")
            };
            locker.lock("k").wait(secs(5)).with(body).await
        })
    };
    assert_eq!(spawned.await.unwrap().unwrap(), Err("the body's own error"));
    assert!(!locker.is_locked("k").await.unwrap());
}

#[tokio::test]
async fn a_failed_release_never_masks_the_result_of_the_body() {
    let (locker, faults, clock) = manual();
    let asking = locker.clone();
    let with = tokio::spawn(async move {
        asking.with("k", async |_| faults.freeze(true)).await.unwrap();
        faults.freeze(false);
    });
    clock.advance(secs(2)).await;
    with.await.unwrap();
}

#[tokio::test]
async fn a_token_that_goes_back_is_refused_and_its_lease_given_back() {
    let (locker, faults, clock) = manual();
    clock.advance(secs(1)).await;
    let guard = locker.acquire("k").await.unwrap();
    guard.release().await.unwrap();
    clock.advance(ms(1)).await;
    *faults.tamper.lock().unwrap() = Some(|grant| grant.token = FencingToken::new(1).unwrap());
    let error = locker.try_acquire("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FenceRegressed);
    assert!(error.to_string().contains("went back from 1000000 to 1"), "{error}");
    clock.settle().await;
    assert_untouched(&locker, "k").await;
    assert!(locker.try_acquire("other").await.unwrap().is_some(), "other keys are not touched");
}

/// Permits are granted side by side, and the answers may overtake each other on their way.
#[tokio::test]
async fn grants_that_arrive_in_another_order_than_they_were_made_are_all_good() {
    let (locker, faults, clock) = manual();
    let permits = locker.semaphore("gpu", 2);
    faults.rounds.store(3, std::sync::atomic::Ordering::SeqCst);
    let mut first = Box::pin(permits.acquire());
    // Sent and granted, but not yet answered.
    assert!(support::poll_times(&mut first, 5).await.is_none());
    clock.advance(ms(1)).await;
    let second = permits.acquire().await.unwrap();
    let first = first.await.unwrap();
    assert!(first.token() < second.token() && first.is_valid() && second.is_valid());
}

#[tokio::test]
async fn a_grant_of_which_nothing_is_left_is_given_back() {
    let (locker, faults, clock) = manual();
    clock.advance(secs(60)).await;
    *faults.tamper.lock().unwrap() = Some(|grant| grant.since = grant.since.before(secs(30)));
    let error = locker.try_acquire("k").await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
    clock.settle().await;
    assert_untouched(&locker, "k").await;
}

#[tokio::test]
async fn waiting_by_backoff_tries_as_often_as_its_policy_says() {
    let (locker, faults, clock) = manual();
    let _guard = locker.acquire("k").await.unwrap();
    let before = Faults::count(&faults.tries);
    let policy = Backoff::new(ms(100), secs(1)).unwrap().with_jitter(0.0).unwrap();
    let waiter = locker.clone();
    let waiting = tokio::spawn(async move {
        let policy = policy.with_attempts(5).unwrap();
        waiter.lock("k").wait(secs(20)).backoff(policy).await.unwrap_err().kind()
    });
    clock.advance(ms(100 + 200 + 400 + 800 - 1)).await;
    assert!(!waiting.is_finished());
    assert!(locker.inspect("k").await.unwrap().waiters.is_empty(), "it stands in no queue");
    clock.advance(ms(1)).await;
    assert_eq!(waiting.await.unwrap(), ErrorKind::Timeout);
    assert_eq!(Faults::count(&faults.tries) - before, 5);
}
