//! Taking again what a scope holds.

use std::sync::atomic::Ordering;

use leasehold::{ErrorKind, Locker, Loss, Mode, ReentrantScope, Release};

use super::{
    POLLS,
    support::{Faults, Faulty, assert_untouched, manual, ms, poll_times, secs},
};

#[tokio::test]
async fn a_held_key_is_taken_again_onto_the_same_lease_without_asking() {
    let (locker, faults, _clock) = manual();
    let scope = locker.reentrant();
    let outer = scope.acquire("k").await.unwrap();
    let inner = scope.try_acquire("k").await.unwrap().unwrap();
    assert_eq!((inner.id(), inner.token()), (outer.id(), outer.token()));
    assert_eq!((outer.depth(), Faults::count(&faults.tries)), (2, 1));
    assert_eq!(locker.inspect("k").await.unwrap().leases.len(), 1);
}

#[tokio::test]
async fn the_lease_is_released_by_the_last_guard_whichever_that_is() {
    let (locker, _, clock) = manual();
    let scope = locker.reentrant();
    for outer_first in [true, false] {
        let outer = scope.acquire("k").await.unwrap();
        let inner = scope.acquire("k").await.unwrap();
        let (first, last) = if outer_first { (outer, inner) } else { (inner, outer) };
        assert_eq!(first.release().await.unwrap(), None);
        assert!(last.is_valid() && scope.holds("k"));
        assert_eq!(last.release().await.unwrap(), Some(Release::Released));
        assert!(!scope.holds("k"));
        assert_untouched(&locker, "k").await;
    }
    drop((scope.acquire("k").await.unwrap(), scope.acquire("k").await.unwrap()));
    clock.settle().await;
    assert_untouched(&locker, "k").await;
    assert!(format!("{scope:?}").contains("keys: []"), "the scope forgets what it let go of");
}

#[tokio::test]
async fn another_scope_and_the_bare_locker_wait_like_anybody() {
    let (locker, _, _clock) = manual();
    let scope = locker.reentrant();
    let _held = scope.acquire("k").await.unwrap();
    assert!(locker.reentrant().try_acquire("k").await.unwrap().is_none());
    assert!(locker.try_acquire("k").await.unwrap().is_none());
}

#[tokio::test]
async fn a_scope_handed_to_a_task_is_the_same_holder_there() {
    let (locker, _, clock) = manual();
    let scope = locker.reentrant();
    let outer = scope.acquire("k").await.unwrap();
    let (same, runtime) = (scope.clone(), locker.runtime().clone());
    let inner = tokio::spawn(async move {
        let inner = same.acquire("k").await.unwrap();
        runtime.sleep(secs(5)).await;
        inner.release().await.unwrap()
    });
    clock.settle().await;
    assert_eq!(outer.release().await.unwrap(), None, "the task still works under it");
    assert!(locker.is_locked("k").await.unwrap());
    clock.advance(secs(5)).await;
    assert_eq!(inner.await.unwrap(), Some(Release::Released));
    assert_untouched(&locker, "k").await;
}

/// Two tasks of one scope that come at once, while somebody else holds the key, must not wait for each other.
#[tokio::test]
async fn two_who_come_at_once_share_one_lease() {
    let (locker, faults, clock) = manual();
    let stranger = locker.acquire("k").await.unwrap();
    let scope = locker.reentrant();
    let take = |scope: ReentrantScope<Faulty>| {
        tokio::spawn(async move { scope.acquire("k").await.unwrap() })
    };
    let (one, other) = (take(scope.clone()), take(scope.clone()));
    clock.settle().await;
    assert_eq!(locker.inspect("k").await.unwrap().waiters.len(), 1);
    assert!(scope.try_acquire("k").await.unwrap().is_none());
    stranger.release().await.unwrap();
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!(one.id(), other.id());
    assert_eq!(Faults::count(&faults.tries), 2, "the stranger's and one of the scope's");
}

#[tokio::test]
async fn who_waits_behind_another_of_its_scope_times_out_on_time() {
    let (locker, _, clock) = manual();
    let _stranger = locker.lock("k").keep_alive().await.unwrap();
    let scope = locker.reentrant();
    let (patient, hasty) = (scope.clone(), scope.clone());
    let patient = tokio::spawn(async move { patient.lock("k").wait(secs(60)).await });
    clock.settle().await;
    let hasty = tokio::spawn(async move { hasty.lock("k").wait(secs(2)).await });
    clock.advance(ms(1_999)).await;
    assert!(!hasty.is_finished());
    clock.advance(ms(1)).await;
    assert!(hasty.await.unwrap().unwrap_err().is_timeout());
    clock.advance(secs(58)).await;
    assert!(patient.await.unwrap().unwrap_err().is_timeout());
    assert!(format!("{scope:?}").contains("keys: []"));
}

#[tokio::test]
async fn a_nested_take_makes_the_lease_last_for_its_own_ttl() {
    let (locker, _, clock) = manual();
    let scope = locker.reentrant();
    let outer = scope.lock("k").ttl(secs(5)).await.unwrap();
    clock.advance(secs(4)).await;
    let inner = scope.lock("k").ttl(secs(30)).await.unwrap();
    assert!(inner.remaining() > secs(29) && outer.remaining() > secs(29));
    let shorter = scope.lock("k").ttl(secs(5)).await.unwrap();
    assert!(shorter.remaining() > secs(29), "never shortened");
}

#[tokio::test]
async fn a_kept_lease_is_joined_without_a_word_to_the_backend() {
    let (locker, faults, _clock) = manual();
    let scope = locker.reentrant();
    let _outer = scope.lock("k").keep_alive().await.unwrap();
    let calls = faults.calls();
    let _inner = scope.acquire("k").await.unwrap();
    assert_eq!(faults.calls(), calls);
}

#[tokio::test]
async fn a_lost_lease_is_not_joined_and_not_taken_anew_while_it_is_believed() {
    let (locker, _, clock) = manual();
    let scope = locker.reentrant();
    let outer = scope.acquire("k").await.unwrap();
    locker.revoke("k").await.unwrap();
    assert_eq!(outer.loss(), Some(Loss::Revoked));
    assert!(scope.acquire("k").await.unwrap_err().is_lease_lost());
    assert!(scope.try_acquire("k").await.unwrap_err().is_lease_lost());
    let old = outer.token();
    drop(outer);
    assert!(scope.acquire("k").await.unwrap().token() > old);
    clock.settle().await;

    let outer = scope.lock("k").ttl(secs(2)).await.unwrap();
    clock.advance(secs(2)).await;
    assert!(scope.acquire("k").await.unwrap_err().is_lease_lost());
    drop(outer);
}

#[tokio::test]
async fn a_writer_may_read_again_but_a_reader_is_told_that_it_can_not_write() {
    let (locker, _, _clock) = manual();
    let scope = locker.reentrant();
    let writer = scope.acquire("doc").await.unwrap();
    let reader = scope.lock("doc").mode(Mode::READ).await.unwrap();
    assert_eq!(reader.id(), writer.id());
    drop((reader, writer));
    let _reader = scope.lock("doc").mode(Mode::READ).await.unwrap();
    let _again = scope.lock("doc").mode(Mode::READ).await.unwrap();
    let error = scope.lock("doc").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("as this scope holds the key"), "{error}");
}

#[tokio::test]
async fn a_nested_take_of_a_held_key_among_several_says_so_instead_of_waiting_for_itself() {
    let (locker, _, clock) = manual();
    let scope = locker.reentrant();
    let said = |error: leasehold::Error| {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("can't be joined"), "{error}");
        error.key().unwrap().to_string()
    };
    // Somebody who waits for itself is still pending then.
    #[expect(clippy::future_not_send, reason = "it is awaited where it is made")]
    async fn at_once<T>(take: impl Future<Output = T>) -> T {
        poll_times(take, POLLS).await.expect("it waits for itself")
    }
    let single = scope.acquire("b").await.unwrap();
    assert_eq!(said(at_once(scope.acquire_all(["a", "b"])).await.unwrap_err()), "b");
    assert_eq!(said(at_once(scope.lock_all(["b", "c"]).try_acquire()).await.unwrap_err()), "b");
    assert!(!locker.is_locked("a").await.unwrap());
    drop(single);
    clock.settle().await;

    let both = scope.acquire_all(["a", "b"]).await.unwrap();
    assert_eq!(said(at_once(scope.acquire("a")).await.unwrap_err()), "a");
    assert_eq!(said(at_once(scope.try_acquire("b")).await.unwrap_err()), "b");
    assert_eq!(said(at_once(scope.acquire_all(["b", "c"])).await.unwrap_err()), "b");
    assert!(scope.holds("a") && scope.holds("b"));
    let _other = scope.acquire("c").await.unwrap();
    both.release().await.unwrap();
    assert!(!scope.holds("a"));
    scope.acquire_all(["a", "b"]).await.unwrap().release().await.unwrap();
    assert_untouched(&locker, "a").await;
}

#[tokio::test]
async fn several_keys_that_could_not_be_had_are_free_in_the_scope_again() {
    let (locker, _, clock) = manual();
    let scope = locker.reentrant();
    let stranger = locker.acquire("b").await.unwrap();
    assert!(scope.lock_all(["a", "b"]).try_acquire().await.unwrap().is_none());
    assert!(scope.lock_all(["a", "b"]).fail_fast().await.unwrap_err().is_timeout());
    assert!(format!("{scope:?}").contains("keys: []"));
    scope.acquire("a").await.unwrap().release().await.unwrap();
    stranger.release().await.unwrap();
    clock.settle().await;
    drop(scope.acquire_all(["a", "b"]).await.unwrap());
    clock.settle().await;
    assert_untouched(&locker, "a").await;
    assert!(format!("{scope:?}").contains("keys: []"));
}

#[tokio::test]
async fn bad_input_is_refused_in_a_scope_too() {
    let (locker, faults, _clock) = manual();
    let scope = locker.reentrant();
    assert_eq!(scope.acquire("").await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(scope.acquire_all(["a", ""]).await.unwrap_err().kind(), ErrorKind::Invalid);
    let error = scope.lock("k").ttl(secs(61)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(faults.calls(), 0);
    assert!(format!("{scope:?}").contains("keys: []"));
}

#[tokio::test]
async fn takes_within_a_scope_leave_nothing_wherever_they_are_dropped() {
    for polls in 0..POLLS {
        let (locker, faults, clock): (Locker<Faulty>, _, _) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let scope = locker.reentrant();
        let stranger = locker.acquire("k").await.unwrap();
        let nested = async {
            let outer = scope.acquire("k").await.unwrap();
            let inner = scope.acquire("k").await.unwrap();
            drop(outer);
            let both = scope.acquire_all(["a", "b"]).await.unwrap();
            inner.release().await.unwrap();
            both.release().await.unwrap();
        };
        let mut nested = Box::pin(nested);
        let early = poll_times(&mut nested, polls / 4).await;
        drop(stranger);
        if early.is_none() {
            let _late = poll_times(&mut nested, polls).await;
        }
        drop(nested);
        clock.advance(secs(1)).await;
        for key in ["k", "a", "b"] {
            assert_untouched(&locker, key).await;
        }
        assert!(format!("{scope:?}").contains("keys: []"), "{scope:?} after {polls} polls");
    }
}
