//! What goes wrong on the way to the server, on it, and on the way back; and that each says its effect.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{error::Error as _, time::Duration};

use leasehold::{Effect, Error, ErrorKind, LockBackend, Release};
use leasehold_redis::RedisBackend;
use support::{RedisServer, builder, exclusive, fixture, granted, key, long, server::until};

const SECRET: &str = "Zeus9secret";

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

async fn refused(url: &str) -> Error {
    RedisBackend::connect(url).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_showing_it() {
    for url in [
        "",
        "localhost",
        "http://user:Zeus9secret@host/",
        "redis//:Zeus9secret@host",
        "redis://:Zeus9secret@host:notaport",
        "redis://:Zeus9secret@host/notadb",
        "redis://:Zeus9secret@",
        "Zeus9secret",
        "redis://host/?protocol=Zeus9",
    ] {
        let error = refused(url).await;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None), "{url}");
        let text = all_text(&error);
        assert!(text.contains("invalid url") && !text.contains("Zeus9"), "{url}: {text}");
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn tls_without_the_feature_says_so() {
    for url in ["rediss://127.0.0.1:1/", "valkeys://127.0.0.1:1/"] {
        let error = refused(url).await;
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }
}

#[tokio::test]
async fn settings_out_of_bounds_are_refused_by_name_before_connecting() {
    let base = || RedisBackend::builder("redis://127.0.0.1:1/");
    let week = Duration::from_secs(7 * 86_400);
    for (field, config) in [
        ("prefix", base().prefix("a{b")),
        ("lanes", base().lanes(0)),
        ("lanes", base().lanes(17)),
        ("response_timeout", base().response_timeout(Duration::ZERO)),
        ("response_timeout", base().response_timeout(Duration::MAX)),
        ("connection_timeout", base().connection_timeout(Duration::ZERO)),
        ("user_timeout", base().user_timeout(Duration::from_millis(10))),
        ("tombstone_ttl", base().tombstone_ttl(Duration::from_secs(1))),
        ("tombstone_ttl", base().tombstone_ttl(week)),
        ("retention", base().retention(Duration::from_secs(60))),
    ] {
        let error = config.connect().await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(field), "{field}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let clock = support::runtime();
    let before = clock.now();
    for url in ["redis://127.0.0.1:1/", "redis+unix:///nowhere/at/all"] {
        let error = refused(url).await;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
        assert!(all_text(&error).contains("os error"), "{}", all_text(&error));
    }
    assert!(clock.now().since(before) < Duration::from_secs(5));
}

#[tokio::test]
async fn the_password_never_shows() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let wrong = RedisBackend::builder(server.url_as("default", SECRET));
    assert!(!format!("{wrong:?}").contains(SECRET));
    let error = wrong.connect().await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Denied, Effect::None));
    assert!(!all_text(&error).contains(SECRET), "{}", all_text(&error));
    let right = RedisBackend::builder(server.url_as("default", "right"))
        .without_quarantine()
        .connect()
        .await
        .unwrap();
    assert!(!format!("{right:?}").contains("pass="), "{right:?}");
    granted(&right, &exclusive("k")).await;
    let none = refused(&server.url()).await;
    assert_eq!((none.kind(), none.code()), (ErrorKind::Denied, Some("NOAUTH")));
    let tcp = refused(&format!("redis://user:{SECRET}@127.0.0.1:1/")).await;
    assert!(!all_text(&tcp).contains(SECRET), "{}", all_text(&tcp));
}

#[tokio::test]
async fn a_missing_permission_is_denied_with_its_code() {
    let server = RedisServer::start();
    let rule = "ACL SETUSER locks reset on >pw ~lh:other:* -@all +ping +hello +auth +info +eval +evalsha +get +set +time";
    server.command(&rule.split(' ').collect::<Vec<_>>());
    let backend = RedisBackend::builder(server.url_as("locks", "pw"))
        .without_quarantine()
        .connect()
        .await
        .unwrap();
    let error = backend.try_acquire(&exclusive("k")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect(), error.code()),
        (ErrorKind::Denied, Effect::None, Some("NOPERM"))
    );
    // Inside the script too.
    server.command(&["ACL", "SETUSER", "locks", "~*", "-set"]);
    let error = backend.try_acquire(&exclusive("k")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect(), error.code()),
        (ErrorKind::Denied, Effect::None, Some("NOPERM")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_replica_is_unavailable_not_held() {
    let primary = RedisServer::start();
    let replica = RedisServer::replica_of(&primary);
    let backend = builder(&replica).connect().await.unwrap();
    let mine = exclusive("k");
    let errors = [
        backend.try_acquire(&mine).await.map(drop).unwrap_err(),
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
    let mut server = RedisServer::start_with(&["--loading-process-events-interval-bytes", "1024"]);
    let backend = builder(&server).connect().await.unwrap();
    for number in 0..200 {
        server.command(&["SET", &format!("fill:{number}"), &"x".repeat(1_000)]);
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

/// The rule that `docs/protocol.md` and the README give.
const LEAST: &str = "ACL SETUSER locks reset on >pw ~lh:* resetchannels &lh:* -@all +ping +hello +auth +client|setname +eval \
+evalsha +time +get +set +setrange +del +hget +hset +hdel +zadd +zrem +zscore +zrange +zrangebyscore +zremrangebyscore \
+pexpire +info +publish +subscribe +unsubscribe";

#[tokio::test]
async fn the_documented_permissions_are_enough_for_everything() {
    let server = RedisServer::start();
    server.command(&LEAST.split_whitespace().collect::<Vec<_>>());
    let url = server.url_as("locks", "pw");
    let quarantined = RedisBackend::connect(&*url).await.unwrap();
    support::held(&quarantined, &exclusive("k")).await;
    let backend = RedisBackend::builder(url).without_quarantine().connect().await.unwrap();
    for request in [exclusive("x"), support::shared("s", 1, 3)] {
        let (key, id) = (request.key(), request.id());
        granted(&backend, &request).await;
        backend.extend(key, id, long()).await.unwrap();
        let deadline = backend.runtime().now() + Duration::from_secs(20);
        let next = exclusive(key.as_str());
        let waiting = backend.acquire(&next, deadline);
        let releasing = async {
            while backend.inspect(key).await.unwrap().waiters.is_empty() {}
            backend.release(key, id).await.unwrap();
        };
        let (waited, ()) = futures::join!(waiting, releasing);
        assert!(matches!(waited.unwrap(), leasehold::Acquire::Granted(_)));
        backend.release(key, id).await.unwrap();
        backend.admin().unwrap().revoke(key).await.unwrap();
    }
    let denied: Vec<_> = server
        .command(&["ACL", "LOG"])
        .list()
        .into_iter()
        .map(|entry| format!("{:?}", entry.list()))
        // The client library names itself, and does without where it may not.
        .filter(|entry| !entry.contains("client|setinfo"))
        .collect();
    assert!(denied.is_empty(), "{denied:?}");
}
