//! A server that may have lost data grants nothing until every lease that it may have forgotten is over.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::time::Duration;

use leasehold::{
    Acquire, AcquireRequest, Downgrade, ErrorKind, Extension, HeldReason, LockBackend, Mode,
    Release, TryAcquire,
};
use leasehold_redis::{RedisBackend, RedisConfig};
use support::{RedisServer, exclusive, granted, held, id, key, server::until, shared, ttl};

/// The longest lease here; the quarantine is 2 % longer, and its start is known to the second.
const MAX_TTL: Duration = Duration::from_millis(1_000);
const LONGEST: Duration = Duration::from_millis(2_050);

fn config(server: &RedisServer) -> RedisConfig {
    RedisBackend::builder(server.url())
        .response_timeout(Duration::from_secs(5))
        .connection_timeout(Duration::from_secs(5))
        .max_ttl(MAX_TTL)
        .quarantine_margin(Duration::ZERO)
}

fn lease(name: &str) -> AcquireRequest {
    AcquireRequest::new(key(name), id(), ttl(1_000))
}

async fn pass(backend: &RedisBackend, time: Duration) {
    backend.runtime().sleep(time).await;
}

/// A server that has been up, and whose clients were, for longer than the quarantine.
async fn old(options: &[&str]) -> (RedisServer, RedisBackend) {
    let server = RedisServer::start_with(options);
    let backend = config(&server).connect().await.unwrap();
    pass(&backend, LONGEST).await;
    granted(&backend, &lease("warm")).await;
    (server, backend)
}

/// Held in quarantine; for how long.
async fn quarantined(backend: &RedisBackend, name: &str) -> Duration {
    let held = held(backend, &lease(name)).await;
    assert_eq!(held.reason, HeldReason::Quarantine);
    held.retry_after.unwrap()
}

#[tokio::test]
async fn a_fresh_server_grants_nothing_and_says_for_how_long() {
    let server = RedisServer::start();
    let backend = config(&server).connect().await.unwrap();
    let clock = backend.runtime().clone();
    let before = clock.now();
    let left = quarantined(&backend, "k").await;
    assert!(left <= LONGEST && left > Duration::from_millis(500), "{left:?}");
    assert!(server.names().iter().all(|name| !name.contains('{')), "nothing is written");
    // Its end is a wake-up time for those who wait.
    let deadline = clock.now() + Duration::from_secs(20);
    let waited = backend.acquire(&lease("k"), deadline).await.unwrap();
    assert!(matches!(waited, Acquire::Granted(_)));
    let took = clock.now().since(before);
    assert!(took >= left && took < left + Duration::from_millis(900), "{took:?} for {left:?}");
}

#[tokio::test]
async fn a_server_that_has_been_up_for_long_is_believed_at_once() {
    let server = RedisServer::start();
    let other = config(&server).prefix("other").connect().await.unwrap();
    pass(&other, LONGEST).await;
    let backend = config(&server).connect().await.unwrap();
    granted(&backend, &lease("k")).await;
}

#[tokio::test]
async fn after_a_restart_without_data_nothing_is_granted_twice() {
    let (mut server, backend) = old(&[]).await;
    let first = lease("k");
    let before = granted(&backend, &first).await.token;
    let clock = backend.runtime().clone();
    let end = clock.now() + MAX_TTL;
    server.restart_empty();
    until("it is reached again", || server.try_command(&["PING"]).text() == "PONG");
    let next = lease("k");
    let again = loop {
        match backend.try_acquire(&next).await {
            Ok(TryAcquire::Granted(grant)) => break grant,
            Ok(TryAcquire::Held(held)) => {
                assert_eq!(held.reason, HeldReason::Quarantine);
                pass(&backend, Duration::from_millis(20)).await;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
        }
    };
    assert!(clock.now() >= end, "granted while the first could still hold it");
    assert!(again.token > before);
}

#[tokio::test]
async fn in_quarantine_holders_go_on_and_nobody_else_begins() {
    let (mut server, backend) = old(&[]).await;
    let mine = [lease("x"), lease("s").with_mode(shared("s", 1, 3).mode(), 1).unwrap()];
    for request in &mine {
        granted(&backend, request).await;
    }
    server.restart_with_data();
    let other = config(&server).connect().await.unwrap();
    // Each lane finds out with its first command.
    for request in &mine {
        while backend.inspect(request.key()).await.is_err() {}
    }
    for request in &mine {
        let (key, id) = (request.key(), request.id());
        // The same again is told the same.
        granted(&backend, request).await;
        assert_eq!(backend.extend(key, id, ttl(900)).await.unwrap(), Extension::Extended);
        assert_eq!(backend.release(key, id).await.unwrap(), Release::Released);
        quarantined(&other, key.as_str()).await;
    }
    // Also what fits beside a lease.
    quarantined(&other, "never seen").await;
    pass(&other, LONGEST).await;
    for name in ["x", "s", "never seen"] {
        granted(&other, &lease(name)).await;
    }
}

#[tokio::test]
async fn a_release_in_quarantine_hands_on_to_nobody_and_the_old_queue_is_dropped() {
    let (mut server, backend) = old(&[]).await;
    let holder = lease("k");
    granted(&backend, &holder).await;
    let deadline = backend.runtime().now() + Duration::from_secs(20);
    let (lost, next) = (lease("k"), lease("k"));
    // Stands still from now on, though its process listens.
    let mut lost = Box::pin(backend.acquire(&lost, deadline));
    let mut waiting = Box::pin(backend.acquire(&next, deadline));
    for (place, wait) in [&mut lost, &mut waiting].into_iter().enumerate() {
        while backend.inspect(&key("k")).await.unwrap().waiters.len() <= place {
            assert!(futures::poll!(&mut *wait).is_pending());
        }
    }
    server.restart_with_data();
    let other = config(&server).connect().await.unwrap();
    while server.command(&["PUBSUB", "CHANNELS", "lh:process:*"]).list().is_empty() {
        pass(&other, Duration::from_millis(5)).await;
    }
    assert_eq!(other.release(&key("k"), holder.id()).await.unwrap(), Release::Released);
    assert!(!other.inspect(&key("k")).await.unwrap().is_locked());
    // Who still waits comes again.
    let acquired = waiting.await.unwrap();
    assert!(matches!(acquired, Acquire::Granted(_)));
    assert_eq!(other.inspect(&key("k")).await.unwrap().waiters.len(), 0);
    assert_eq!(server.calls("publish"), 0, "nobody of the old queue was granted");
}

#[tokio::test]
async fn a_downgrade_in_quarantine_lets_nobody_in() {
    let (mut server, backend) = old(&[]).await;
    let writer = lease("k");
    granted(&backend, &writer).await;
    let deadline = backend.runtime().now() + Duration::from_secs(20);
    let read = lease("k").with_mode(Mode::READ, 1).unwrap();
    let mut waiting = Box::pin(backend.acquire(&read, deadline));
    while backend.inspect(&key("k")).await.unwrap().waiters.is_empty() {
        assert!(futures::poll!(&mut waiting).is_pending());
    }
    server.restart_with_data();
    let other = config(&server).connect().await.unwrap();
    while server.command(&["PUBSUB", "CHANNELS", "lh:process:*"]).list().is_empty() {
        pass(&other, Duration::from_millis(5)).await;
    }
    let downgraded = other.downgrader().unwrap().downgrade(&key("k"), writer.id()).await;
    assert_eq!(downgraded.unwrap(), Downgrade::Downgraded);
    let shown = other.inspect(&key("k")).await.unwrap();
    assert_eq!((shown.leases.len(), shown.leases[0].mode), (1, Mode::READ));
    assert_eq!(server.calls("publish"), 0, "nobody of the old queue was granted");
    assert!(matches!(waiting.await.unwrap(), Acquire::Granted(_)));
}

#[tokio::test]
async fn a_promoted_replica_is_never_believed_for_its_uptime() {
    let primary = RedisServer::start();
    let replica = RedisServer::replica_of(&primary);
    let backend = config(&primary).connect().await.unwrap();
    pass(&backend, LONGEST).await;
    // Cut off: it does not hear of the lease.
    replica.command(&["REPLICAOF", "NO", "ONE"]);
    granted(&backend, &lease("k")).await;
    let there = config(&replica).connect().await.unwrap();
    let left = quarantined(&there, "k").await;
    assert!(left > Duration::from_millis(900), "{left:?}");
    pass(&there, LONGEST).await;
    granted(&there, &lease("k")).await;
    // Since when it was seen in this life is kept: who comes later need not wait again.
    let later = config(&replica).connect().await.unwrap();
    granted(&later, &lease("new")).await;
}

#[tokio::test]
async fn a_new_life_on_the_same_connection_is_noticed() {
    let (server, backend) = old(&[]).await;
    let first = lease("k");
    granted(&backend, &first).await;
    backend.release(&key("k"), first.id()).await.unwrap();
    // Demoted and promoted again, and no client was told.
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    server.command(&["REPLICAOF", "NO", "ONE"]);
    pass(&backend, Duration::from_millis(1_100)).await;
    quarantined(&backend, "k").await;
    quarantined(&backend, "never seen").await;
}

#[tokio::test]
async fn a_lease_longer_than_the_quarantine_covers_is_refused() {
    let server = RedisServer::start();
    let backend = config(&server).connect().await.unwrap();
    let long = AcquireRequest::new(key("k"), id(), ttl(1_001));
    let error = backend.try_acquire(&long).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("max_ttl"), "{error}");
    let error = backend.extend(&key("k"), id(), ttl(1_001)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn without_quarantine_in_so_many_words_a_fresh_server_grants_at_once() {
    let server = RedisServer::start();
    let backend = config(&server).without_quarantine().connect().await.unwrap();
    granted(&backend, &exclusive("k")).await;
    assert_eq!(server.names(), ["lh:{k}"]);
}

#[tokio::test]
async fn in_a_known_epoch_a_pair_costs_no_more_than_without() {
    let (server, backend) = old(&[]).await;
    for _ in 0..2 {
        server.command(&["CONFIG", "RESETSTAT"]);
        let request = lease("k");
        granted(&backend, &request).await;
        backend.release(&key("k"), request.id()).await.unwrap();
    }
    let inside = ["time", "get", "set", "setrange"].map(|command| server.calls(command));
    // One of the two may have been the one to look at the server again.
    assert_eq!(inside[..2], [2, 2]);
    assert_eq!(inside[2] + inside[3], 2, "{inside:?}");
}
