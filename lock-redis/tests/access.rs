//! Urls, settings, credentials and permissions: what is refused, and that no password shows.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{error::Error as _, time::Duration};

use leasehold::{Effect, Error, ErrorKind, LockBackend};
use leasehold_redis::RedisBackend;
use support::{RedisServer, exclusive, granted};

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
