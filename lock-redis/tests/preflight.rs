//! Each thing that can be wrong with a server is found on a server where it is so, with a reason and a remedy.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::time::Duration;

use leasehold::{Effect, ErrorKind};
use leasehold_redis::{Check, Finding, Preflight, RedisBackend, Severity, UnsafeSettings};
use support::{RedisServer, builder, exclusive, granted};

/// Settings of a server in which nothing is to be found.
const FIT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

async fn preflight(server: &RedisServer) -> Preflight {
    builder(server).connect().await.unwrap().preflight().await.unwrap()
}

/// The only finding of this check.
#[track_caller]
fn only(found: &Preflight, check: Check) -> Finding {
    let those: Vec<_> = found.findings().iter().filter(|finding| finding.check == check).collect();
    let [finding] = those[..] else {
        panic!("expected one finding of {check}: {found}");
    };
    finding.clone()
}

#[tokio::test]
async fn nothing_is_found_on_a_server_that_is_fit() {
    let server = RedisServer::start_with(&FIT);
    let found = preflight(&server).await;
    assert_eq!(found.findings(), [], "{found}");
    assert!(found.is_fit());
    assert_eq!(found.to_string(), "nothing found");
    assert_eq!(found.clone().or_refuse().unwrap(), found);
}

#[tokio::test]
async fn an_eviction_policy_is_refused_where_memory_is_limited_and_warned_of_where_not() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "volatile-lru"]);
    let found = preflight(&server).await;
    assert_eq!(only(&found, Check::Eviction).severity, Severity::Warn);
    server.command(&["CONFIG", "SET", "maxmemory", "100mb"]);
    let backend = builder(&server).unsafe_settings(UnsafeSettings::Warn).connect().await.unwrap();
    let found = backend.preflight().await.unwrap();
    let eviction = only(&found, Check::Eviction);
    assert_eq!(eviction.severity, Severity::Refuse);
    assert!(eviction.reason.contains("volatile-lru"), "{eviction}");
    assert!(eviction.remedy.contains("maxmemory-policy noeviction"), "{eviction}");
    assert!(!found.is_fit());
    assert_eq!(found.findings()[0], eviction, "the worst comes first");
    let error = found.or_refuse().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unsupported, Effect::None));
    assert!(error.to_string().contains("volatile-lru"), "{error}");
}

#[tokio::test]
async fn a_server_that_evicts_is_not_connected_to_unless_it_is_said() {
    let options = ["--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"];
    let server = RedisServer::start_with(&options);
    let error = builder(&server).connect().await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unsupported, Effect::None));
    let text = error.to_string();
    assert!(text.contains("allkeys-lru") && text.contains("noeviction"), "{text}");
    for policy in [UnsafeSettings::Warn, UnsafeSettings::Ignore] {
        let backend = builder(&server).unsafe_settings(policy).connect().await.unwrap();
        granted(&backend, &exclusive(&format!("{policy:?}"))).await;
    }
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    builder(&server).connect().await.map(drop).unwrap();
}

#[tokio::test]
async fn what_a_restart_forgets_is_said() {
    let connect = |server: &RedisServer| RedisBackend::connect(server.url());
    let nothing = RedisServer::start();
    let quarantined = connect(&nothing).await.unwrap().preflight().await.unwrap();
    let finding = only(&quarantined, Check::Persistence);
    assert_eq!(finding.severity, Severity::Warn);
    assert!(finding.reason.contains("every lock") && finding.reason.contains("62.2s"), "{finding}");
    let bare = only(&preflight(&nothing).await, Check::Persistence);
    assert!(bare.reason.contains("without quarantine"), "{bare}");
    nothing.command(&["CONFIG", "SET", "save", "60 1"]);
    let snapshots = only(&preflight(&nothing).await, Check::Persistence);
    assert!(snapshots.reason.contains("last snapshot"), "{snapshots}");
    let appending = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let everysec = connect(&appending).await.unwrap().preflight().await.unwrap();
    let everysec = only(&everysec, Check::Persistence);
    assert_eq!(everysec.severity, Severity::Note);
    assert!(everysec.reason.contains("the last second"), "{everysec}");
}

#[tokio::test]
async fn replicas_without_a_minimum_are_warned_of() {
    let primary = RedisServer::start_with(&FIT);
    let _replica = RedisServer::replica_of(&primary);
    let finding = only(&preflight(&primary).await, Check::Replicas);
    assert_eq!(finding.severity, Severity::Warn);
    assert!(finding.remedy.contains("min-replicas-to-write 1"), "{finding}");
    primary.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let found = preflight(&primary).await;
    assert_eq!(found.findings(), [], "{found}");
}

#[tokio::test]
async fn a_replica_and_a_node_of_a_cluster_are_refused() {
    let primary = RedisServer::start_with(&FIT);
    let replica = RedisServer::replica_of(&primary);
    let found = preflight(&replica).await;
    let role = only(&found, Check::Role);
    assert!(role.severity == Severity::Refuse && role.reason.contains("replica"), "{role}");
    let node = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let found = preflight(&node).await;
    let role = only(&found, Check::Role);
    assert!(role.severity == Severity::Refuse && role.reason.contains("Cluster"), "{role}");
}

/// The rule of the documentation, and what a preflight needs on top.
const RULE: &str = "reset on >pw ~lh:* resetchannels &lh:* -@all +ping +hello +auth +client|setname +eval +evalsha +time \
+get +set +setrange +del +hget +hset +hdel +zadd +zrem +zscore +zrange +zrangebyscore +zremrangebyscore +pexpire +info \
+publish +subscribe +unsubscribe";
const PREFLIGHT: &str = "+multi +discard +config|get +scan";

fn user(server: &RedisServer, rules: &[&str]) {
    let rules = rules.join(" ");
    let words: Vec<_> = ["ACL", "SETUSER", "locks"].into_iter().chain(rules.split(' ')).collect();
    server.command(&words);
}

async fn as_user(server: &RedisServer) -> RedisBackend {
    let config = RedisBackend::builder(server.url_as("locks", "pw"));
    config.without_quarantine().response_timeout(Duration::from_secs(5)).connect().await.unwrap()
}

#[tokio::test]
async fn every_missing_permission_is_named() {
    let server = RedisServer::start_with(&FIT);
    user(&server, &[RULE, PREFLIGHT]);
    let backend = as_user(&server).await;
    let found = backend.preflight().await.unwrap();
    assert_eq!(found.findings(), [], "{found}");
    let own = ["hello", "auth", "client|setname", "info"];
    let commands = RULE.split(' ').filter_map(|word| word.strip_prefix('+'));
    let mut checked = 0;
    for command in commands.filter(|command| !own.contains(command)) {
        user(&server, &[&format!("-{command}")]);
        let finding = only(&backend.preflight().await.unwrap(), Check::Permissions);
        assert_eq!(finding.severity, Severity::Refuse);
        assert!(finding.reason.ends_with(&format!(": {command}")), "{finding}");
        assert!(
            finding.remedy.contains(&format!("SETUSER locks ~lh:* &lh:* +{command}")),
            "{finding}"
        );
        user(&server, &[&format!("+{command}")]);
        checked += 1;
    }
    assert!(checked > 15, "{checked}");
}

#[tokio::test]
async fn a_key_pattern_or_channel_that_does_not_fit_is_found() {
    let server = RedisServer::start_with(&FIT);
    user(&server, &[RULE, PREFLIGHT, "resetkeys ~other:*"]);
    let finding = only(&as_user(&server).await.preflight().await.unwrap(), Check::Permissions);
    assert!(finding.reason.contains("get, set"), "{finding}");
    user(&server, &[RULE, PREFLIGHT, "resetchannels &other:*"]);
    let finding = only(&as_user(&server).await.preflight().await.unwrap(), Check::Permissions);
    assert!(finding.reason.ends_with(": publish, subscribe"), "{finding}");
}

#[tokio::test]
async fn what_only_a_listing_needs_is_a_warning() {
    let server = RedisServer::start_with(&FIT);
    user(&server, &[RULE, PREFLIGHT, "-scan"]);
    let finding = only(&as_user(&server).await.preflight().await.unwrap(), Check::Permissions);
    assert_eq!(finding.severity, Severity::Warn);
    assert!(finding.reason.contains("listing needs: scan"), "{finding}");
}

#[tokio::test]
async fn what_could_not_be_read_is_a_finding() {
    let server = RedisServer::start_with(&FIT);
    user(&server, &[RULE]);
    let found = as_user(&server).await.preflight().await.unwrap();
    let persistence = only(&found, Check::Persistence);
    assert!(persistence.reason.starts_with("could not read"), "{persistence}");
    assert!(persistence.remedy.contains("+config|get"), "{persistence}");
    let permissions = only(&found, Check::Permissions);
    assert!(permissions.remedy.contains("+multi +discard"), "{permissions}");
    assert_eq!(found.findings().len(), 2, "{found}");
}

#[tokio::test]
async fn a_preflight_changes_nothing() {
    let server = RedisServer::start_with(&FIT);
    let backend = builder(&server).connect().await.unwrap();
    granted(&backend, &exclusive("k")).await;
    let (names, record) = (server.names(), server.command(&["GET", "lh:{k}"]));
    assert!(backend.preflight().await.unwrap().is_fit());
    assert_eq!(server.names(), names);
    assert_eq!(server.command(&["GET", "lh:{k}"]), record);
}

#[tokio::test]
async fn health_is_whether_a_script_runs_on_the_primary_now() {
    let mut server = RedisServer::start();
    let backend = builder(&server).connect().await.unwrap();
    let health = backend.health().await.unwrap();
    assert_eq!(health.quarantine, Duration::ZERO);
    assert!(!health.round_trip.is_zero());
    let quarantined = RedisBackend::connect(server.url()).await.unwrap();
    let left = quarantined.health().await.unwrap().quarantine;
    assert!(left > Duration::ZERO && left <= Duration::from_secs(63), "{left:?}");
    assert_eq!(server.names().len(), 1, "only the epoch: {:?}", server.names());
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    let error = backend.health().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, Some("READONLY")));
    server.kill();
    while backend.health().await.is_ok() {}
    let error = backend.health().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, Some("health")));
}
