//! What goes wrong on the way to the server, on it, and on the way back; and that each says its effect.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{error::Error as _, time::Duration};

use leasehold::{Effect, Error, ErrorKind, LockBackend, Release};
use support::{RedisServer, builder, exclusive, fixture, granted, key, long, server::until};

/// Everything an error can show.
fn all_text(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(" {inner} {inner:?}"));
        source = inner.source();
    }
    text
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn a_replica_is_unavailable_not_held() {
    let primary = RedisServer::start();
    let replica = RedisServer::replica_of(&primary);
    let backend = builder(&replica).connect().await.unwrap();
    let mine = exclusive("k");
    let errors = [
        backend.try_acquire(&mine).await.map(drop).unwrap_err(),
        backend.try_acquire(&support::shared("k", 1, 2)).await.map(drop).unwrap_err(),
        backend.release(&key("k"), mine.id()).await.map(drop).unwrap_err(),
        backend.extend(&key("k"), mine.id(), long()).await.map(drop).unwrap_err(),
        backend.inspect(&key("k")).await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            (error.kind(), error.effect(), error.code()),
            (ErrorKind::Unavailable, Effect::None, Some("READONLY")),
            "{error:?}"
        );
    }
    // Once it is a primary, a new connection serves.
    replica.command(&["REPLICAOF", "NO", "ONE"]);
    granted(&backend, &mine).await;
}

#[tokio::test]
async fn without_memory_nothing_is_granted_but_leases_live_on_and_end() {
    let (server, backend) = fixture().await;
    let mine = [exclusive("mine"), support::shared("shared", 1, 2)];
    for request in &mine {
        granted(&backend, request).await;
        backend.extend(request.key(), request.id(), long()).await.unwrap();
    }
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = backend.try_acquire(&exclusive("new")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect(), error.code()),
        (ErrorKind::Unavailable, Effect::None, Some("OOM")),
        "{error:?}"
    );
    for request in &mine {
        let (key, id) = (request.key(), request.id());
        let extended = backend.extend(key, id, support::ttl(90_000)).await.unwrap();
        assert_eq!(extended, leasehold::Extension::Extended);
        assert!(backend.inspect(key).await.unwrap().is_locked());
        assert_eq!(backend.release(key, id).await.unwrap(), Release::Released);
        assert_eq!(backend.release(key, id).await.unwrap(), Release::NotHeld);
    }
    assert_eq!(server.try_command(&["GET", "lh:{new}"]), support::resp::Reply::Nil);
}

#[tokio::test]
async fn a_server_that_still_loads_is_unavailable() {
    let mut server = RedisServer::start_with(&["--rdbcompression", "no"]);
    let backend = builder(&server).connect().await.unwrap();
    // While it loads, it looks at its clients every 2 MB.
    for number in 0..200 {
        server.command(&["SET", &format!("fill:{number}"), &"x".repeat(200_000)]);
    }
    server.command(&["SAVE"]);
    server.kill();
    server.start_again_with(&["--key-load-delay", "20000"]);
    let error = loop {
        match backend.try_acquire(&exclusive("k")).await {
            // The old connection's end is noticed first.
            Err(error) if error.code().is_none() => {}
            other => break other.map(drop).unwrap_err(),
        }
    };
    assert_eq!(
        (error.kind(), error.effect(), error.code()),
        (ErrorKind::Unavailable, Effect::None, Some("LOADING")),
        "{error:?}"
    );
}

#[tokio::test]
async fn it_reconnects_after_the_server_restarts() {
    let (mut server, backend) = fixture().await;
    granted(&backend, &exclusive("before")).await;
    server.restart_empty();
    let mut failures = 0;
    while let Err(error) = backend.try_acquire(&exclusive("after")).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        failures += 1;
    }
    // At most the command that found out.
    assert!(failures <= 1, "{failures}");
    granted(&backend, &exclusive("more")).await;
}

#[tokio::test]
async fn while_the_server_is_gone_each_call_fails_at_once_and_says_why() {
    let (mut server, backend) = fixture().await;
    server.kill();
    let clock = support::runtime();
    let before = clock.now();
    let mut last = None;
    for _ in 0..5 {
        last = backend.try_acquire(&exclusive("k")).await.err();
    }
    let error = last.unwrap();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
    assert!(all_text(&error).contains("os error"), "{}", all_text(&error));
    assert!(clock.now().since(before) < Duration::from_secs(4));
    server.start_again();
    granted(&backend, &exclusive("k")).await;
}

#[tokio::test]
async fn a_silent_server_makes_the_effect_unknown_and_giving_the_id_up_leaves_nothing() {
    let server = RedisServer::start();
    let quick = Duration::from_millis(60);
    let backend = builder(&server)
        .response_timeout(quick)
        .connection_timeout(quick * 5)
        .lanes(1)
        .connect()
        .await
        .unwrap();
    granted(&backend, &exclusive("warm")).await;
    for round in 0..4 {
        let request = exclusive("k");
        server.pause();
        let error = backend.try_acquire(&request).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Unknown));
        // Odd rounds give up on a second timeout as well: by then the connection is replaced, and the
        // clean-up travels on another one than the acquire.
        if round % 2 == 1 {
            backend.release(&key("k"), request.id()).await.unwrap_err();
        }
        server.resume();
        until("the server answers", || server.try_command(&["PING"]).text() == "PONG");
        while backend.release(&key("k"), request.id()).await.is_err() {}
        assert!(!backend.inspect(&key("k")).await.unwrap().is_locked());
        let error = backend.try_acquire(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IdReused, "{error}");
    }
}

#[tokio::test]
async fn a_dropped_call_is_cleaned_up_by_the_release_that_follows_it() {
    let (_server, backend) = fixture().await;
    granted(&backend, &exclusive("k2")).await;
    for polls in 0..6 {
        let request = exclusive("k");
        let mut call = Box::pin(backend.try_acquire(&request));
        for _ in 0..polls {
            if futures::poll!(&mut call).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        backend.release(&key("k"), request.id()).await.unwrap();
        assert!(!backend.inspect(&key("k")).await.unwrap().is_locked());
        let error = backend.try_acquire(&request).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IdReused);
    }
}

#[tokio::test]
async fn an_id_whose_acquire_went_unanswered_is_remembered_beyond_the_record() {
    let server = RedisServer::start();
    let quick = Duration::from_millis(60);
    let backend =
        builder(&server).response_timeout(quick).connection_timeout(quick * 5).connect().await;
    let backend = backend.unwrap();
    // The server knows the script: what it finds when it goes on is an acquire, not an unknown digest.
    granted(&backend, &exclusive("warm")).await;
    let request = exclusive("k");
    server.pause();
    backend.try_acquire(&request).await.unwrap_err();
    server.resume();
    until("the server answers", || server.try_command(&["PING"]).text() == "PONG");
    let released = backend.release(&key("k"), request.id()).await.unwrap();
    assert_eq!(released, Release::Released, "it was granted after all");
    // The record remembers three ids by itself.
    for _ in 0..5 {
        let other = exclusive("k");
        granted(&backend, &other).await;
        backend.release(&key("k"), other.id()).await.unwrap();
    }
    let error = backend.try_acquire(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IdReused, "{error}");
}
