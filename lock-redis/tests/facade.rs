//! The façade over a real server: what users hold, and what stays behind when they let go.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use leasehold::{Config, KeyState, Locker, Loss, Release};
use support::{RedisServer, builder};

async fn locker(server: &RedisServer) -> Locker {
    Locker::new(builder(server).connect().await.unwrap())
}

/// Polls a future, and ends with `None` when it is pending for the `left`-th time.
struct DropAfter<'a, F> {
    future: Pin<&'a mut F>,
    left: usize,
}

impl<F: Future> Future for DropAfter<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        match self.future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    DropAfter { future: pin!(future), left: polls }.await
}

/// Ends the locker, so that its clean-up is done, then looks at the key.
async fn left_behind(server: &RedisServer, used: Locker, name: &str) -> KeyState {
    assert!(used.shutdown(Duration::from_secs(10)).await.is_clean());
    locker(server).await.inspect(name).await.unwrap()
}

#[tokio::test]
async fn a_lease_is_taken_seen_and_given_back() {
    let server = RedisServer::start();
    let (a, b) = (locker(&server).await, locker(&server).await);
    let guard = a.lock("k").label("worker-7").await.unwrap();
    assert!(b.try_acquire("k").await.unwrap().is_none());
    let seen = b.inspect("k").await.unwrap();
    assert_eq!(seen.leases[0].holder.label(), Some("worker-7"));
    assert_eq!(seen.leases[0].token, guard.token());
    assert_eq!(guard.release().await.unwrap(), Release::Released);
    let next = b.acquire("k").await.unwrap();
    assert!(next.token() > seen.leases[0].token);
}

#[tokio::test]
async fn a_kept_lease_outlives_its_ttl_many_times() {
    let server = RedisServer::start();
    let (a, b) = (locker(&server).await, locker(&server).await);
    let guard = a.lock("k").ttl(Duration::from_millis(1_500)).keep_alive().await.unwrap();
    let runtime = a.runtime().clone();
    for _ in 0..10 {
        runtime.sleep(Duration::from_millis(400)).await;
        assert!(b.try_acquire("k").await.unwrap().is_none());
    }
    assert!(guard.is_valid());
    assert_eq!(
        left_behind(
            &server,
            {
                drop(guard);
                a
            },
            "k"
        )
        .await,
        KeyState::default()
    );
}

#[tokio::test]
async fn loss_is_told_while_the_server_is_frozen() {
    let server = RedisServer::start();
    let locker = locker(&server).await;
    let guard = locker.lock("k").ttl(Duration::from_millis(400)).keep_alive().await.unwrap();
    server.pause();
    assert_eq!(guard.lost().await, Loss::Expired);
    assert!(!guard.is_valid());
    server.resume();
}

#[tokio::test]
async fn a_body_is_stopped_while_the_server_is_frozen() {
    let server = RedisServer::start();
    let locker = locker(&server).await;
    let request = locker.lock("k").ttl(Duration::from_millis(400)).keep_alive();
    let stopped = request.with(async |_| {
        server.pause();
        std::future::pending::<()>().await;
    });
    assert!(stopped.await.unwrap_err().is_lease_lost());
    server.resume();
}

#[tokio::test]
async fn a_lease_survives_a_server_that_freezes_for_less_than_its_validity() {
    let server = RedisServer::start();
    let config = Config::builder().ttl(Duration::from_secs(3)).keep_alive(true).build().unwrap();
    let locker = Locker::with_config(builder(&server).connect().await.unwrap(), config);
    let guard = locker.acquire("k").await.unwrap();
    let runtime = locker.runtime().clone();
    for _ in 0..2 {
        server.pause();
        runtime.sleep(Duration::from_millis(700)).await;
        server.resume();
        runtime.sleep(Duration::from_millis(1_500)).await;
    }
    assert!(guard.is_valid());
}

/// More polls than any of these futures takes.
const POLLS: usize = 12;

#[tokio::test]
async fn an_acquire_of_a_free_key_leaves_nothing_wherever_it_is_dropped() {
    let server = RedisServer::start();
    let mut granted = 0;
    for polls in 0..POLLS {
        let locker = locker(&server).await;
        let guard = drop_after(polls, locker.acquire("k")).await;
        granted += usize::from(guard.is_some());
        drop(guard);
        assert_eq!(left_behind(&server, locker, "k").await, KeyState::default(), "{polls} polls");
    }
    assert!(0 < granted && granted < POLLS, "some polls were too few, some enough");
}

#[tokio::test]
async fn a_waiting_acquire_leaves_nothing_wherever_it_is_dropped() {
    let server = RedisServer::start();
    for polls in 0..POLLS {
        let (holder, waiter) = (locker(&server).await, locker(&server).await);
        let held = holder.acquire("k").await.unwrap();
        let waiting = drop_after(polls, waiter.lock("k").wait_forever().acquire());
        let releasing = async {
            tokio::task::yield_now().await;
            held.release().await.unwrap();
        };
        let (guard, ()) = futures::future::join(waiting, releasing).await;
        drop(guard);
        assert_eq!(left_behind(&server, waiter, "k").await, KeyState::default(), "{polls} polls");
    }
}

#[tokio::test]
async fn extend_release_and_with_leave_nothing_wherever_they_are_dropped() {
    let server = RedisServer::start();
    for polls in 0..POLLS {
        let locker = locker(&server).await;
        let guard = locker.acquire("k").await.unwrap();
        let _extended = drop_after(polls, guard.extend(Duration::from_secs(50))).await;
        let _released = drop_after(polls, guard.release()).await;
        let body = async |_| tokio::task::yield_now().await;
        let _output = drop_after(polls, locker.lock("other").keep_alive().with(body)).await;
        assert!(locker.shutdown(Duration::from_secs(10)).await.is_clean());
        let looking = self::locker(&server).await;
        for name in ["k", "other"] {
            assert_eq!(looking.inspect(name).await.unwrap(), KeyState::default(), "{polls} polls");
        }
    }
}

#[tokio::test]
async fn a_grant_whose_answer_comes_too_late_is_taken_back() {
    let server = RedisServer::start();
    let locker = locker(&server).await;
    server.pause();
    let request = locker.lock("k").ttl(Duration::from_secs(2)).fail_fast();
    let error = request.await.unwrap_err();
    assert_eq!(error.effect(), leasehold::Effect::Unknown, "{error}");
    server.resume();
    assert_eq!(left_behind(&server, locker, "k").await, KeyState::default());
}

/// The server's real clock, and what a test makes it step by.
const CLOCK_THAT_STEPS: &str = "local t = redis.call('TIME')
local now = string.format('%016d', t[1] * 1000000 + t[2] + (redis.call('GET', 'step') or 0))
";

/// Asks for other keys until an answer has shown the server's clock, and `seen` says so.
async fn until_seen(locker: &Locker, seen: impl Fn() -> bool + Send) {
    let limit = locker.runtime().now() + Duration::from_secs(20);
    while !seen() {
        assert!(locker.runtime().now() < limit, "the step was never seen");
        drop(locker.acquire("other").await.unwrap());
    }
}

#[tokio::test]
async fn a_forward_step_that_eats_a_lease_is_told_at_once() {
    let server = RedisServer::start();
    let backend = builder(&server).script_clock(CLOCK_THAT_STEPS).connect().await.unwrap();
    let locker = Locker::new(backend);
    let guard = locker.lock("k").ttl(Duration::from_secs(50)).await.unwrap();
    server.command(&["SET", "step", "60000000"]);
    until_seen(&locker, || !guard.is_valid()).await;
    assert_eq!(guard.lost().await, Loss::Expired);
    // What is asked for after the step is whole.
    let next = locker.lock("k").ttl(Duration::from_secs(50)).await.unwrap();
    assert!(next.valid_until() > locker.runtime().now() + Duration::from_secs(40));
}

#[tokio::test]
async fn a_forward_step_shortens_what_is_believed_until_it_is_extended() {
    let server = RedisServer::start();
    let backend = builder(&server).script_clock(CLOCK_THAT_STEPS).connect().await.unwrap();
    let locker = Locker::new(backend);
    let guard = locker.lock("k").ttl(Duration::from_secs(50)).await.unwrap();
    let believed = guard.valid_until();
    server.command(&["SET", "step", "20000000"]);
    until_seen(&locker, || guard.valid_until() < believed).await;
    let remaining = locker.inspect("k").await.unwrap().leases[0].remaining;
    assert!(guard.is_valid());
    assert!(guard.valid_until() <= locker.runtime().now() + remaining);
    guard.extend(Duration::from_secs(50)).await.unwrap();
    assert!(guard.valid_until() > believed);
}
