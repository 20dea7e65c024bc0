//! Every future dropped at every await point: nothing stays behind.

mod support;

use std::sync::atomic::Ordering;

use support::{assert_untouched, manual, poll_times, secs};

/// More polls than any of these futures takes.
const POLLS: usize = 60;

#[tokio::test]
async fn an_acquire_of_a_free_key_leaves_nothing_wherever_it_is_dropped() {
    let mut granted = 0;
    for polls in 0..POLLS {
        let (locker, faults, clock) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let guard = poll_times(locker.acquire("k"), polls).await;
        granted += usize::from(guard.is_some());
        drop(guard);
        clock.advance(secs(1)).await;
        assert_untouched(&locker, "k").await;
    }
    assert!(0 < granted && granted < POLLS, "some polls were too few, some enough");
}

#[tokio::test]
async fn a_waiting_acquire_leaves_nothing_wherever_it_is_dropped() {
    for polls in 0..POLLS {
        let (locker, faults, clock) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let holder = locker.acquire("k").await.unwrap();
        let release_at = polls / 2;
        let mut acquiring = Box::pin(locker.lock("k").wait(secs(5)).acquire());
        let early = poll_times(&mut acquiring, release_at).await;
        drop(holder);
        let guard = match early {
            Some(guard) => Some(guard),
            None => poll_times(&mut acquiring, polls - release_at).await,
        };
        drop(acquiring);
        drop(guard);
        clock.advance(secs(1)).await;
        assert_untouched(&locker, "k").await;
    }
}

#[tokio::test]
async fn a_release_goes_on_wherever_it_is_dropped() {
    for polls in 0..POLLS {
        let (locker, faults, clock) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let guard = locker.acquire("k").await.unwrap();
        let _answer = poll_times(guard.release(), polls).await;
        clock.advance(secs(1)).await;
        assert_untouched(&locker, "k").await;
    }
}

#[tokio::test]
async fn an_extension_leaves_the_lease_to_its_guard_wherever_it_is_dropped() {
    for polls in 0..POLLS {
        let (locker, faults, clock) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let guard = locker.lock("k").ttl(secs(5)).await.unwrap();
        let believed = guard.valid_until();
        let answer = poll_times(guard.extend(secs(50)), polls).await;
        assert_eq!(guard.valid_until() > believed, answer.is_some(), "only a confirmed one counts");
        guard.release().await.unwrap();
        clock.advance(secs(1)).await;
        assert_untouched(&locker, "k").await;
    }
}

#[tokio::test]
async fn with_leaves_nothing_wherever_it_is_dropped() {
    for polls in 0..POLLS {
        let (locker, faults, clock) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let with = locker.lock("k").keep_alive().with(async |_| {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
        });
        let _output = poll_times(with, polls).await;
        clock.advance(secs(1)).await;
        assert_untouched(&locker, "k").await;
        clock.advance(secs(60)).await;
        assert_untouched(&locker, "k").await;
    }
}
