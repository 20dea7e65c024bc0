//! G5: dropping any future at any await leaves nothing behind.

use std::{future::Future, pin::pin, task::Poll};

use leasehold::{LockKey, Release};

use crate::suite::trial::Trial;

/// Futures are dropped after none, one, … this many polls.
const POLLS: usize = 8;

/// Polls `future` this often, letting the world go on after each, and drops it. Whether it ended.
async fn poll_and_drop<F: Future + Send>(trial: &Trial, future: F, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        if polled.await.is_ready() {
            return true;
        }
        trial.breathe().await;
    }
    false
}

pub(crate) async fn g5_a_dropped_try_that_is_given_up_leaves_nothing(trial: &Trial) {
    for polls in 0..POLLS {
        let request = trial.request(&trial.key(&polls.to_string()), trial.long());
        poll_and_drop(trial, trial.backend.try_acquire(&request), polls).await;
        trial.give_up(request.key(), request.id()).await;
        trial.is_free(request.key()).await;
    }
}

pub(crate) async fn g5_a_dropped_acquire_that_is_given_up_leaves_nothing(trial: &Trial) {
    for polls in 0..POLLS {
        let request = trial.request(&trial.key(&polls.to_string()), trial.long());
        let acquire = trial.backend.acquire(&request, trial.far());
        poll_and_drop(trial, acquire, polls).await;
        trial.give_up(request.key(), request.id()).await;
        trial.is_free(request.key()).await;
        no_waiters(trial, request.key()).await;
    }
}

/// A waiter that goes without a word neither takes the key later nor keeps another from it.
pub(crate) async fn g5_a_dropped_wait_leaves_by_itself(trial: &Trial) {
    for polls in 0..POLLS {
        let holder = trial.hold(&trial.key(&polls.to_string())).await;
        let gone = trial.request(&holder.key, trial.long());
        let ended = poll_and_drop(trial, trial.backend.acquire(&gone, trial.far()), polls).await;
        assert!(!ended, "a wait for a held key ended");
        no_waiters(trial, &holder.key).await;
        let request = trial.request(&holder.key, trial.long());
        let waiting = trial.wait(&request);
        assert_eq!(trial.release(&holder).await, Release::Released);
        let next = trial.soon_granted(waiting, &request).await;
        assert_eq!(trial.release(&next).await, Release::Released);
        trial.is_free(&holder.key).await;
    }
}

/// The key was handed to a waiter that never looked again: giving its id up frees the key.
pub(crate) async fn g5_a_grant_to_a_waiter_that_is_gone_is_given_back(trial: &Trial) {
    for polls in 1..POLLS {
        let holder = trial.hold(&trial.key(&polls.to_string())).await;
        let gone = trial.request(&holder.key, trial.long());
        {
            let mut acquire = pin!(trial.backend.acquire(&gone, trial.far()));
            for _ in 0..polls {
                let polled = futures::poll!(acquire.as_mut());
                assert!(polled.is_pending(), "a wait for a held key ended");
                trial.breathe().await;
            }
            assert_eq!(trial.release(&holder).await, Release::Released);
            trial.breathe().await;
        }
        trial.give_up(&holder.key, gone.id()).await;
        trial.is_free(&holder.key).await;
        no_waiters(trial, &holder.key).await;
    }
}

pub(crate) async fn g5_a_dropped_wait_does_not_stop_the_one_behind_it(trial: &Trial) {
    for polls in 0..POLLS {
        let holder = trial.hold(&trial.key(&polls.to_string())).await;
        let (gone, stays) =
            (trial.request(&holder.key, trial.long()), trial.request(&holder.key, trial.long()));
        let waiting = {
            let mut acquire = pin!(trial.backend.acquire(&gone, trial.far()));
            for _ in 0..polls {
                assert!(futures::poll!(acquire.as_mut()).is_pending());
                trial.breathe().await;
            }
            let waiting = trial.wait(&stays);
            trial.breathe().await;
            waiting
        };
        assert_eq!(trial.release(&holder).await, Release::Released);
        trial.soon_granted(waiting, &stays).await;
    }
}

pub(crate) async fn g5_a_dropped_release_can_be_repeated(trial: &Trial) {
    for polls in 0..POLLS {
        let lease = trial.hold(&trial.key(&polls.to_string())).await;
        poll_and_drop(trial, trial.backend.release(&lease.key, lease.id), polls).await;
        trial.release(&lease).await;
        assert_eq!(trial.release(&lease).await, Release::NotHeld);
        trial.is_free(&lease.key).await;
    }
}

pub(crate) async fn g5_a_dropped_extend_leaves_the_lease_to_its_holder(trial: &Trial) {
    for polls in 0..POLLS {
        let lease = trial.hold(&trial.key(&polls.to_string())).await;
        let extend = trial.backend.extend(&lease.key, lease.id, trial.long());
        poll_and_drop(trial, extend, polls).await;
        trial.is_taken(&lease.key).await;
        assert_eq!(trial.release(&lease).await, Release::Released);
        trial.is_free(&lease.key).await;
    }
}

pub(crate) async fn g5_a_dropped_acquire_of_several_keys_leaves_nothing(trial: &Trial) {
    for polls in 0..POLLS {
        let keys = ["a", "b"].map(|name| trial.key(&format!("{name}{polls}")));
        let holder = trial.hold(&keys[1]).await;
        let all = trial.request_all(&keys, trial.long());
        poll_and_drop(trial, trial.backend.acquire(&all, trial.far()), polls).await;
        for key in &keys {
            trial.give_up(key, all.id()).await;
        }
        assert_eq!(trial.release(&holder).await, Release::Released);
        for key in &keys {
            no_waiters(trial, key).await;
            trial.is_free(key).await;
        }
    }
}

async fn no_waiters(trial: &Trial, key: &LockKey) {
    trial.until(key, "no waiters", |state| state.waiters.is_empty()).await;
}
