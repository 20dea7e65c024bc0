//! Ending a locker in bounded time.

mod support;

use leasehold::{ErrorKind, Loss, Timestamp};
use support::{assert_untouched, manual, ms, secs};

#[tokio::test]
async fn a_shutdown_waits_for_bodies_and_then_is_clean() {
    let (locker, _, clock) = manual();
    let body = locker.clone();
    let working = tokio::spawn(async move {
        let runtime = body.runtime().clone();
        body.lock("k").ttl(secs(5)).keep_alive().with(async |_| runtime.sleep(secs(20)).await).await
    });
    clock.settle().await;
    let closing = locker.clone();
    let closing = tokio::spawn(async move {
        let report = closing.shutdown(secs(60)).await;
        (report, closing.runtime().now())
    });
    clock.advance(secs(100)).await;
    let (report, at) = closing.await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(at, Timestamp::ORIGIN + secs(20), "as soon as the body had ended");
    working.await.unwrap().unwrap();
    assert_untouched(&locker, "k").await;
}

#[tokio::test]
async fn a_shutdown_dequeues_every_waiter_and_grants_nothing_more() {
    let (locker, _, clock) = manual();
    let guard = locker.acquire("k").await.unwrap();
    let waiters: Vec<_> = (0..20)
        .map(|_| {
            let waiter = locker.clone();
            tokio::spawn(async move { waiter.lock("k").wait_forever().await.unwrap_err().kind() })
        })
        .collect();
    clock.settle().await;
    assert_eq!(locker.inspect("k").await.unwrap().waiters.len(), 20);
    let closing = locker.clone();
    let closing = tokio::spawn(async move { closing.shutdown(secs(5)).await });
    clock.settle().await;
    assert!(locker.inspect("k").await.unwrap().waiters.is_empty());
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), ErrorKind::Closed);
    }
    assert_eq!(locker.acquire("other").await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(guard.is_valid(), "guards stay good");
    guard.release().await.unwrap();
    clock.settle().await;
    assert!(closing.await.unwrap().is_clean());
    assert_untouched(&locker, "k").await;
}

#[tokio::test]
async fn at_its_timeout_a_shutdown_takes_the_rest_away_and_says_so() {
    let (locker, _, clock) = manual();
    let guard = locker.lock("stuck").keep_alive().await.unwrap();
    let closing = locker.clone();
    let closing = tokio::spawn(async move { closing.shutdown(secs(5)).await });
    clock.advance(ms(4_999)).await;
    assert!(guard.is_valid());
    clock.advance(secs(2)).await;
    let report = closing.await.unwrap();
    assert_eq!(report.taken_away.len(), 1);
    assert_eq!(report.taken_away[0].as_str(), "stuck");
    assert_eq!(report.unconfirmed, 0);
    assert_eq!(guard.loss(), Some(Loss::Shutdown));
    assert_untouched(&locker, "stuck").await;
}

#[tokio::test]
async fn a_shutdown_ends_in_time_though_the_server_is_silent() {
    let (locker, faults, clock) = manual();
    let guard = locker.lock("k").await.unwrap();
    faults.freeze(true);
    let closing = locker.clone();
    let closing = tokio::spawn(async move {
        let report = closing.shutdown(secs(5)).await;
        (report, closing.runtime().now())
    });
    clock.advance(secs(10)).await;
    assert!(closing.is_finished(), "within the timeout and one operation's");
    let (report, at) = closing.await.unwrap();
    assert_eq!((report.taken_away.len(), report.unconfirmed), (1, 1));
    assert!(at <= Timestamp::ORIGIN + secs(6));
    assert_eq!(guard.loss(), Some(Loss::Shutdown));
}
