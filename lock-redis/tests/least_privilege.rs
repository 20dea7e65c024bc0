//! Every promise is kept for a user who may do no more than the documentation says.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{fs, path::Path, time::Duration};

use leasehold::{LockBackend as _, Locker};
use leasehold_redis::RedisBackend;
use leasehold_testkit::suite::{Fixture, Running};
use support::RedisServer;

/// The rules in `docs/operations.md`, as they stand there: for locks, for administration, for the preflight.
fn rules() -> [String; 3] {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    ["locks", "administration", "preflight"].map(|part| {
        let (_, after) = page.split_once(&format!("<!-- acl: {part} -->")).unwrap();
        let rule = after.split("```").nth(1).unwrap();
        let rule =
            rule.strip_prefix("text").unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        rule.strip_prefix("ACL SETUSER locks ").unwrap().replace(">SECRET", ">pw")
    })
}

fn allow(server: &RedisServer, rule: &str) {
    let words: Vec<_> = ["ACL", "SETUSER", "locks"].into_iter().chain(rule.split(' ')).collect();
    server.command(&words);
}

async fn connect(server: &RedisServer) -> RedisBackend {
    let config = RedisBackend::builder(server.url_as("locks", "pw")).without_quarantine();
    let patient = Duration::from_secs(5);
    config.response_timeout(patient).connection_timeout(patient).connect().await.unwrap()
}

/// What the server refused this user, but for what the client library does without.
fn refused(server: &RedisServer) -> Vec<String> {
    let log = server.command(&["ACL", "LOG"]).list().into_iter();
    log.map(|entry| format!("{:?}", entry.list()))
        .filter(|entry| !entry.contains("client|setinfo") && !entry.contains("Text(\"client\")"))
        .collect()
}

/// A server that fails the test at its end if it had to refuse anything.
struct Watched(RedisServer);

impl Drop for Watched {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let refused = refused(&self.0);
            assert!(refused.is_empty(), "the server refused: {refused:?}");
        }
    }
}

struct LeastPrivilege;

impl Fixture for LeastPrivilege {
    type Backend = RedisBackend;

    async fn start(&self) -> Running<RedisBackend> {
        let server = RedisServer::start();
        let [locks, administration, _] = rules();
        allow(&server, &locks);
        allow(&server, &administration);
        let backend = connect(&server).await;
        Running::on_real_time(backend).with_guard(Watched(server))
    }
}

mod conformance {
    use super::LeastPrivilege;

    leasehold_testkit::conformance!(LeastPrivilege);
}

/// Without the rule for administration everything works but listing, which is denied by name.
#[tokio::test]
async fn only_listing_needs_more_than_locks_do() {
    let server = RedisServer::start();
    let [locks, administration, _] = rules();
    allow(&server, &locks);
    let backend = connect(&server).await;
    let locker = Locker::new(backend.clone());
    let guard = locker.lock("k").keep_alive().await.unwrap();
    assert!(locker.is_locked("k").await.unwrap());
    backend.health().await.unwrap();
    // The quarantine keeps a note of its own.
    let quarantined = RedisBackend::connect(server.url_as("locks", "pw")).await.unwrap();
    support::held(&quarantined, &support::exclusive("other")).await;
    assert_eq!(locker.revoke("k").await.unwrap().leases, 1);
    drop(guard);
    assert_eq!(refused(&server), Vec::<String>::new());
    let error = locker.list("").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (leasehold::ErrorKind::Denied, Some("NOPERM")));
    assert_eq!(error.operation(), Some("list"));
    allow(&server, &administration);
    assert_eq!(locker.list("").await.unwrap().len(), 0);
    assert!(backend.capabilities().has(leasehold::Capability::Revoke));
}

#[tokio::test]
async fn the_rule_for_the_preflight_lets_it_read_everything() {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    for rule in rules() {
        allow(&server, &rule);
    }
    let found = connect(&server).await.preflight().await.unwrap();
    assert_eq!(found.findings(), [], "{found}");
    assert_eq!(refused(&server), Vec::<String>::new());
}

/// The README and the protocol page give the same rule.
#[test]
fn the_rule_is_the_same_wherever_it_is_given() {
    let [locks, ..] = rules();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for page in ["lock-redis/README.md", "docs/protocol.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(">SECRET", ">pw");
        assert!(
            text.contains(&locks),
            "{page} gives another rule than docs/operations.md: {locks}"
        );
    }
}
