//! `rediss://`, against a server with a certificate of its own authority.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{error::Error as _, path::Path, time::Duration};

use leasehold::{Acquire, Effect, Error, ErrorKind, LockBackend};
use leasehold_redis::RedisBackend;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::{RedisServer, exclusive, granted, key, server::free_port};

struct Secured {
    _server: RedisServer,
    _files: tempfile::TempDir,
    url: String,
    authority: String,
}

/// A server that speaks TLS on a port, for the name `localhost`.
fn secured() -> Secured {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();

    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, pem: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let certificate = text(&write("server.crt", &certificate.pem()));
    let key = text(&write("server.key", &key.serialize_pem()));
    let root = text(&write("ca.crt", &authority.pem()));
    let port = free_port().to_string();
    let server = RedisServer::start_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &root,
        "--tls-auth-clients",
        "no",
    ]);
    Secured {
        _server: server,
        _files: files,
        url: format!("rediss://localhost:{port}/"),
        authority: authority.pem(),
    }
}

fn all_sources(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    text
}

#[tokio::test]
async fn a_server_whose_authority_is_given_is_served_and_waited_on() {
    let secured = secured();
    let config = RedisBackend::builder(&*secured.url)
        .without_quarantine()
        .root_certificate(secured.authority.as_bytes());
    let backend = config.connect().await.unwrap();
    let first = exclusive("k");
    granted(&backend, &first).await;
    // The subscription is secured too: a waiter hears of its grant.
    let (waiter, next) = (backend.clone(), exclusive("k"));
    let deadline = backend.runtime().now() + Duration::from_secs(20);
    let waiting = tokio::spawn(async move { waiter.acquire(&next, deadline).await });
    while backend.inspect(&key("k")).await.unwrap().waiters.is_empty() {
        tokio::task::yield_now().await;
    }
    backend.release(&key("k"), first.id()).await.unwrap();
    let waited = waiting.await.unwrap().unwrap();
    assert!(matches!(waited, Acquire::Granted(_)));
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_refused() {
    let secured = secured();
    let error = RedisBackend::connect(&*secured.url).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
    assert!(all_sources(&error).contains("UnknownIssuer"), "{}", all_sources(&error));
}

#[tokio::test]
async fn a_connection_that_checks_nothing_is_not_offered() {
    let error = RedisBackend::connect("rediss://localhost:1/#insecure").await.map(drop);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_root_that_is_no_certificate_is_refused() {
    let config = RedisBackend::builder("rediss://localhost:1/").root_certificate("not PEM");
    let error = config.connect().await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None), "{error:?}");
    assert!(error.to_string().contains("root_certificate"), "{error}");
}
