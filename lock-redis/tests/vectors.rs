//! The scripts keep to the outcome vectors, on a clock that the test sets.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{path::PathBuf, time::Duration};

use leasehold::{
    AdminBackend as _, Capability, Effect, Error, Extension, KeyState, LockBackend, LockKey,
    Release, TryAcquire, async_trait,
};
use leasehold_redis::RedisBackend;
use leasehold_testkit::vectors::{Answer, Machine, Operation, Outcome, Vector, run};
use support::{RedisServer, builder};

/// Stands in for the part of the scripts that reads the server's clock.
const CLOCK: &str = "local now = redis.call('GET', 'test:now')\n";
/// When every vector begins: some Monday, in µs.
const BEGAN: u128 = 1_767_600_000_000_000;

/// A server whose scripts are told the time. Waiters live on real time, so what they do is tested elsewhere.
struct Scripts<'a> {
    server: &'a RedisServer,
    backend: RedisBackend,
}

impl<'a> Scripts<'a> {
    async fn new(server: &'a RedisServer) -> Self {
        server.command(&["FLUSHALL"]);
        let backend = builder(server).script_clock(CLOCK).connect().await.unwrap();
        let scripts = Self { server, backend };
        scripts.set(Duration::ZERO);
        scripts
    }

    fn set(&self, at: Duration) {
        self.server.command(&["SET", "test:now", &format!("{:016}", BEGAN + at.as_micros())]);
    }

    async fn outcome(&self, operation: &Operation) -> leasehold::Result<Outcome> {
        let backend = &self.backend;
        Ok(match operation {
            Operation::TryAcquire(request) => match backend.try_acquire(request).await? {
                TryAcquire::Granted(grant) => Outcome::Granted(grant.token),
                TryAcquire::Held(held) => Outcome::Held(held.reason),
            },
            Operation::Extend { key, id, ttl } => match backend.extend(key, *id, *ttl).await? {
                Extension::Extended => Outcome::Extended,
                Extension::Lost => Outcome::Lost,
            },
            Operation::Release { key, id } => match backend.release(key, *id).await? {
                Release::Released => Outcome::Released,
                Release::NotHeld => Outcome::NotHeld,
            },
            Operation::Revoke { key } => Outcome::Revoked(backend.revoke(key).await?.leases),
            Operation::Tick => Outcome::Nothing,
            Operation::Acquire { .. } | Operation::Cancel { .. } => unreachable!("nobody waits"),
        })
    }
}

fn refused(error: &Error) -> Outcome {
    assert_eq!(error.effect(), Effect::None, "{error}");
    Outcome::Refused(error.kind())
}

#[async_trait]
impl Machine for Scripts<'_> {
    fn can(&self, capability: Capability) -> bool {
        capability != Capability::Queue && self.backend.capabilities().has(capability)
    }

    async fn apply(&mut self, at: Duration, operation: &Operation) -> Answer {
        self.set(at);
        Answer::from(self.outcome(operation).await.unwrap_or_else(|error| refused(&error)))
    }

    async fn inspect(&mut self, at: Duration, key: &LockKey) -> KeyState {
        self.set(at);
        self.backend.inspect(key).await.unwrap()
    }
}

#[tokio::test]
async fn the_scripts_keep_to_every_vector_without_waiters() {
    let server = RedisServer::start();
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec"));
    let (mut mismatches, mut ran) = (Vec::new(), 0);
    for vector in Vector::read_all(folder).unwrap() {
        match run(&vector, &mut Scripts::new(&server).await).await {
            Ok(was_for_it) => ran += usize::from(was_for_it),
            Err(mismatch) => mismatches.push(mismatch.to_string()),
        }
    }
    assert_eq!(mismatches, [""; 0]);
    assert!(ran >= 60, "only {ran} vectors ran");
}
