//! Time, turned by hand: the scripts read `now` from a key of the test's instead of the server's clock.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::time::Duration;

use leasehold::{AcquireRequest, Extension, HeldReason, LockBackend, Release};
use leasehold_redis::RedisBackend;
use support::{RedisServer, builder, exclusive, granted, held, id, key, shared, ttl};

/// A server whose scripts live at the time that the test sets.
struct Frozen {
    server: RedisServer,
    backend: RedisBackend,
}

impl Frozen {
    async fn at(micros: u64) -> Self {
        let server = RedisServer::start();
        let clock = "local now = redis.call('GET', 'now')\n";
        let backend = builder(&server).script_clock(clock).connect().await.unwrap();
        let frozen = Self { server, backend };
        frozen.turn(micros);
        frozen
    }

    fn turn(&self, micros: u64) {
        self.server.command(&["SET", "now", &format!("{micros:016}")]);
    }
}

#[tokio::test]
async fn a_lease_is_live_up_to_the_microsecond_before_its_end() {
    let frozen = Frozen::at(1_000).await;
    let request = AcquireRequest::new(key("k"), id(), ttl(1));
    let grant = granted(&frozen.backend, &request).await;
    assert_eq!(grant.token.get(), 1_000);
    frozen.turn(1_999);
    let state = held(&frozen.backend, &exclusive("k")).await;
    assert_eq!(state.retry_after, Some(Duration::from_micros(1)));
    assert!(frozen.backend.inspect(&key("k")).await.unwrap().is_locked());
    frozen.turn(2_000);
    assert!(!frozen.backend.inspect(&key("k")).await.unwrap().is_locked());
    let next = granted(&frozen.backend, &exclusive("k")).await;
    assert_eq!(next.token.get(), 2_000);
}

#[tokio::test]
async fn shared_leases_end_one_by_one() {
    let frozen = Frozen::at(1_000).await;
    let short = |permits| {
        let mode = shared("k", 1, 3).mode();
        AcquireRequest::new(key("k"), id(), ttl(1)).with_mode(mode, permits).unwrap()
    };
    granted(&frozen.backend, &short(2)).await;
    frozen.turn(1_500);
    granted(&frozen.backend, &short(1)).await;
    assert_eq!(
        held(&frozen.backend, &short(1)).await.retry_after,
        Some(Duration::from_micros(500))
    );
    frozen.turn(2_000);
    granted(&frozen.backend, &short(2)).await;
    held(&frozen.backend, &short(1)).await;
    assert_eq!(frozen.backend.inspect(&key("k")).await.unwrap().leases.len(), 2);
    frozen.turn(10_000);
    granted(&frozen.backend, &exclusive("k")).await;
    assert_eq!(frozen.server.names(), ["lh:{k}", "now"]);
}

#[tokio::test]
async fn an_expired_lease_is_neither_extended_nor_released() {
    let frozen = Frozen::at(1_000).await;
    for request in [exclusive("x"), shared("s", 1, 2)] {
        let (key, id) = (request.key(), request.id());
        frozen.turn(1_000);
        granted(&frozen.backend, &request).await;
        frozen.turn(60_001_000);
        assert_eq!(frozen.backend.extend(key, id, ttl(50)).await.unwrap(), Extension::Lost);
        assert_eq!(frozen.backend.release(key, id).await.unwrap(), Release::NotHeld);
        assert!(!frozen.backend.inspect(key).await.unwrap().is_locked());
    }
}

#[tokio::test]
async fn a_token_grows_when_the_clock_steps_back() {
    let frozen = Frozen::at(5_000_000).await;
    let first = exclusive("k");
    let before = granted(&frozen.backend, &first).await.token;
    frozen.backend.release(&key("k"), first.id()).await.unwrap();
    frozen.turn(1_000);
    let second = exclusive("k");
    let token = granted(&frozen.backend, &second).await.token;
    assert_eq!(token.get(), before.get() + 1);
    // Also for the last of several keys.
    frozen.backend.release(&key("k"), second.id()).await.unwrap();
    let both = AcquireRequest::for_keys([key("a"), key("k")], id(), ttl(1)).unwrap();
    assert_eq!(granted(&frozen.backend, &both).await.token.get(), before.get() + 2);
}

#[tokio::test]
async fn a_minimum_hold_ends_when_it_was_to_end() {
    let frozen = Frozen::at(1_000).await;
    for name in ["x", "s"] {
        frozen.turn(1_000);
        let request = if name == "x" { exclusive(name) } else { shared(name, 1, 1) };
        let request = request.with_min_hold(Duration::from_millis(5)).unwrap();
        let (key, id) = (request.key(), request.id());
        granted(&frozen.backend, &request).await;
        frozen.turn(2_000);
        assert_eq!(frozen.backend.release(key, id).await.unwrap(), Release::Released);
        frozen.turn(5_999);
        assert_eq!(held(&frozen.backend, &exclusive(name)).await.reason, HeldReason::Lease);
        frozen.turn(6_000);
        let error = frozen.backend.try_acquire(&request).await.unwrap_err();
        assert_eq!(error.kind(), leasehold::ErrorKind::IdReused);
        granted(&frozen.backend, &exclusive(name)).await;
    }
}

#[tokio::test]
async fn an_expired_id_may_be_granted_again_with_a_new_token() {
    let frozen = Frozen::at(1_000).await;
    let request = AcquireRequest::new(key("k"), id(), ttl(1));
    let first = granted(&frozen.backend, &request).await.token;
    frozen.turn(2_000);
    assert!(granted(&frozen.backend, &request).await.token > first);
}

#[tokio::test]
async fn sums_that_lost_their_leases_mend_themselves() {
    let frozen = Frozen::at(1_000).await;
    granted(&frozen.backend, &shared("k", 3, 3)).await;
    frozen.server.command(&["DEL", "lh:{k}:s", "lh:{k}:x"]);
    held(&frozen.backend, &shared("k", 1, 3)).await;
    frozen.turn(60_001_000);
    granted(&frozen.backend, &shared("k", 3, 3)).await;
}

#[tokio::test]
async fn a_record_in_steady_use_never_comes_near_its_end() {
    let frozen = Frozen::at(1_795_000_000_000_000).await;
    let day = 24 * 3_600 * 1_000;
    for step in 0..40 {
        // Ten minutes at a time: by the scripts' clock, and of the record's life.
        frozen.turn(1_795_000_000_000_000 + step * 600_000_000);
        let request = exclusive("k");
        granted(&frozen.backend, &request).await;
        frozen.backend.release(&key("k"), request.id()).await.unwrap();
        let left = frozen.server.command(&["PTTL", "lh:{k}"]).int();
        assert!(left >= day, "{left} ms after step {step}");
        frozen.server.command(&["PEXPIRE", "lh:{k}", &(left - 600_000).to_string()]);
    }
}
