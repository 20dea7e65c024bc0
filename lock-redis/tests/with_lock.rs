//! Functions under `#[with_lock]` on a real server.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::sync::Arc;

use futures::FutureExt;
use leasehold::{FencingToken, Locker, with_lock};
use support::{RedisServer, builder};
use tokio::sync::Notify;

async fn locker(server: &RedisServer) -> Locker {
    Locker::new(builder(server).connect().await.unwrap())
}

/// What happens in the body is for the test to say.
#[derive(Default)]
struct Job {
    begun: Notify,
    go_on: Notify,
}

#[with_lock(
    locker = locker,
    key = "job:{id}",
    ttl = "30s",
    label = "worker {id}",
    lease = lease,
    on_contention = skip,
)]
async fn work(locker: &Locker, id: u32, job: &Job) -> leasehold::Result<Option<FencingToken>> {
    job.begun.notify_one();
    job.go_on.notified().await;
    Ok(Some(lease.token()))
}

#[tokio::test]
async fn of_two_processes_one_runs_the_body_and_the_other_skips_it() {
    let server = RedisServer::start();
    let (a, b) = (locker(&server).await, locker(&server).await);
    let job = Arc::new(Job::default());
    let first = tokio::spawn({
        let (a, job) = (a.clone(), Arc::clone(&job));
        async move { work(&a, 7, &job).await }
    });
    job.begun.notified().await;
    assert_eq!(work(&b, 7, &job).await.unwrap(), None);
    let seen = b.inspect("job:7").await.unwrap();
    assert_eq!(seen.leases[0].holder.label(), Some("worker 7"));
    job.go_on.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), Some(seen.leases[0].token));
    assert!(!b.is_locked("job:7").await.unwrap());
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_and_the_body_does_not_run() {
    let server = RedisServer::start();
    let locker = locker(&server).await;
    drop(server);
    let job = Job::default();
    job.go_on.notify_one();
    let error = work(&locker, 7, &job).await.unwrap_err();
    assert_eq!(error.kind(), leasehold::ErrorKind::Unavailable);
    assert!(job.begun.notified().now_or_never().is_none());
}
