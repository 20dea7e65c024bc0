//! What the tests of this crate share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses a part of it, examples another"
)]

pub mod process;
pub mod resp;
pub mod server;

use std::{sync::Arc, time::Duration};

use leasehold::{
    AcquireRequest, Grant, Holder, LeaseId, LockBackend, LockKey, Mode, TryAcquire, Ttl,
    runtime::{OsEntropy, SystemClock, TokioSpawn},
};
use leasehold_redis::{RedisBackend, RedisConfig};

pub use server::RedisServer;

/// A server and a backend on it.
pub async fn fixture() -> (RedisServer, RedisBackend) {
    let server = RedisServer::start();
    let backend = builder(&server).connect().await.unwrap();
    (server, backend)
}

/// Settings for this server: granting at once though it has just started, with timeouts that suit a busy test machine.
pub fn builder(server: &RedisServer) -> RedisConfig {
    RedisBackend::builder(server.url())
        .without_quarantine()
        .response_timeout(Duration::from_secs(5))
        .connection_timeout(Duration::from_secs(5))
}

pub fn key(text: &str) -> LockKey {
    LockKey::new(text).unwrap()
}

pub fn id() -> LeaseId {
    LeaseId::random(&OsEntropy)
}

pub fn ttl(millis: u64) -> Ttl {
    Ttl::new(Duration::from_millis(millis)).unwrap()
}

/// A minute, so that nothing ends by itself in the time of a test.
pub fn long() -> Ttl {
    ttl(60_000)
}

pub fn exclusive(name: &str) -> AcquireRequest {
    AcquireRequest::new(key(name), id(), long()).with_holder(Holder::new("tester").unwrap())
}

pub fn shared(name: &str, permits: u32, limit: u32) -> AcquireRequest {
    let limit = if limit == 0 {
        leasehold::Limit::UNLIMITED
    } else {
        leasehold::Limit::new(limit).unwrap()
    };
    exclusive(name).with_mode(Mode::Shared { limit }, permits).unwrap()
}

pub async fn granted(backend: &dyn LockBackend, request: &AcquireRequest) -> Grant {
    match backend.try_acquire(request).await.unwrap() {
        TryAcquire::Granted(grant) => grant,
        TryAcquire::Held(held) => panic!("not granted: {held}"),
    }
}

pub async fn held(backend: &dyn LockBackend, request: &AcquireRequest) -> leasehold::Held {
    match backend.try_acquire(request).await.unwrap() {
        TryAcquire::Held(held) => held,
        TryAcquire::Granted(grant) => panic!("granted: {grant:?}"),
    }
}

/// A runtime of its own clock, tokio's tasks.
pub fn runtime() -> leasehold::Runtime {
    leasehold::Runtime::new(Arc::new(SystemClock::new()), Arc::new(OsEntropy), Arc::new(TokioSpawn))
}
