//! The waits of a backoff: how long, how many, how random; and what waits by them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{sync::Arc, time::Duration};

use leasehold::{
    Acquire, AcquireRequest, Backoff, Clock as _, ErrorKind, LockBackend, LockKey, Runtime,
    Timestamp, Ttl, poll_acquire_with,
    runtime::{Entropy, SeededEntropy},
};
use leasehold_memory::MemoryBackend;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The same byte for ever: 0 for no randomness, 255 for nearly all of it.
#[derive(Debug)]
struct Always(u8);

impl Entropy for Always {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn waits(policy: Backoff, entropy: &dyn Entropy, count: usize) -> Vec<Duration> {
    policy.delays(entropy).take(count).collect()
}

#[test]
fn waits_double_up_to_the_cap() {
    let policy = Backoff::new(ms(10), ms(70)).unwrap().with_jitter(0.0).unwrap();
    let millis = [10, 20, 40, 70, 70, 70].map(ms);
    assert_eq!(waits(policy, &Always(0), 6), millis);
}

#[test]
fn waits_grow_by_the_multiplier() {
    let policy = Backoff::new(ms(10), ms(1_000)).unwrap().with_jitter(0.0).unwrap();
    let flat = policy.with_multiplier(1.0).unwrap();
    assert_eq!(waits(flat, &Always(0), 3), [10, 10, 10].map(ms));
    let steep = policy.with_multiplier(10.0).unwrap();
    assert_eq!(waits(steep, &Always(0), 4), [10, 100, 1_000, 1_000].map(ms));
}

#[test]
fn the_random_share_is_taken_off_and_no_more() {
    let policy = Backoff::new(ms(100), ms(100)).unwrap();
    for (jitter, least) in [(0.0, ms(100)), (0.5, ms(50)), (1.0, ms(1))] {
        let policy = policy.with_jitter(jitter).unwrap();
        assert_eq!(waits(policy, &Always(0), 1), [ms(100)]);
        let shortest = waits(policy, &Always(255), 1)[0];
        assert!(shortest >= least && shortest <= least + ms(1), "{jitter}: {shortest:?}");
        let entropy = SeededEntropy::new(7);
        let random = waits(policy, &entropy, 200);
        assert!(random.iter().all(|wait| (least..=ms(100)).contains(wait)), "{jitter}");
        assert_eq!(random.iter().any(|wait| *wait != random[0]), jitter > 0.0, "{jitter}");
    }
}

#[test]
fn no_wait_is_shorter_than_a_millisecond() {
    let policy = Backoff::new(ms(1), ms(1)).unwrap().with_jitter(1.0).unwrap();
    assert_eq!(waits(policy, &Always(255), 3), [ms(1); 3]);
}

#[test]
fn the_waits_end_with_the_attempts() {
    let policy = Backoff::default();
    for (attempts, count) in [(1, 0), (2, 1), (20, 19)] {
        let policy = policy.with_attempts(attempts).unwrap();
        assert_eq!(waits(policy, &Always(0), 100).len(), count);
    }
    assert_eq!(waits(policy, &Always(0), 100).len(), 100);
}

#[test]
fn waits_stay_at_the_cap_for_ever() {
    let huge = Backoff::new(ms(1), Duration::MAX).unwrap().with_multiplier(100.0).unwrap();
    let last = huge.delays(&Always(0)).nth(300).unwrap();
    assert!(last > Duration::from_secs(u64::MAX / 2), "{last:?}");
}

#[test]
fn a_policy_out_of_bounds_is_refused() {
    let refused = |result: leasehold::Result<Backoff>, says: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().starts_with(&format!("invalid {says}")), "{error}");
    };
    let policy = Backoff::default();
    refused(Backoff::new(Duration::ZERO, ms(1)), "backoff.first: must be at least 1ms");
    refused(Backoff::new(ms(2), ms(1)), "backoff.cap: must be at least the first wait of 2ms");
    for multiplier in [0.99, -1.0, 100.1, f64::NAN, f64::INFINITY] {
        refused(policy.with_multiplier(multiplier), "backoff.multiplier: must be from 1 to 100");
    }
    for jitter in [-0.01, 1.01, f64::NAN] {
        refused(policy.with_jitter(jitter), "backoff.jitter: must be from 0 to 1");
    }
    refused(policy.with_attempts(0), "backoff.attempts: must be at least 1");
}

#[test]
fn a_seed_decides_the_waits() {
    let draw = |seed| waits(Backoff::default(), &SeededEntropy::new(seed), 20);
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

/// A backend with a held key, and a request that waits for it.
async fn held(ttl: Ttl) -> (MemoryBackend, leasehold::VirtualClock, AcquireRequest) {
    let (runtime, clock) = Runtime::manual(7);
    let backend = MemoryBackend::with_runtime(runtime.with_entropy(Arc::new(Always(0))));
    let key = LockKey::new("k").unwrap();
    let request = |byte| AcquireRequest::new(key.clone(), id(byte), ttl);
    backend.try_acquire(&request(1)).await.unwrap();
    (backend, clock, request(2))
}

const fn id(byte: u8) -> leasehold::LeaseId {
    leasehold::LeaseId::from_bytes([byte; 16])
}

#[tokio::test]
async fn polling_ends_exactly_at_the_deadline() {
    let (backend, clock, request) = held(Ttl::MAX).await;
    let deadline = clock.now() + ms(12_345);
    let polling = tokio::spawn(async move {
        let policy = Backoff::default();
        let outcome = poll_acquire_with(&backend, &request, deadline, &policy).await;
        (outcome.unwrap(), backend.runtime().now())
    });
    clock.advance(ms(12_344)).await;
    assert!(!polling.is_finished());
    clock.advance(ms(1)).await;
    let (outcome, ended) = polling.await.unwrap();
    assert!(matches!(outcome, Acquire::TimedOut(_)), "{outcome:?}");
    assert_eq!(ended, deadline);
}

#[tokio::test]
async fn polling_looks_again_when_the_lease_is_known_to_end() {
    let ttl = Ttl::new(Duration::from_micros(1_003)).unwrap();
    let (backend, clock, request) = held(ttl).await;
    let polling = tokio::spawn(async move {
        let slow = Backoff::new(Duration::from_secs(60), Duration::from_secs(60)).unwrap();
        let outcome = poll_acquire_with(&backend, &request, Timestamp::MAX, &slow).await;
        (outcome.unwrap(), backend.runtime().now())
    });
    clock.advance(Duration::from_secs(1)).await;
    let (outcome, ended) = polling.await.unwrap();
    assert!(matches!(outcome, Acquire::Granted(_)), "{outcome:?}");
    assert_eq!(ended, Timestamp::ORIGIN + ttl.get());
}

#[tokio::test]
async fn polling_gives_up_after_its_attempts() {
    let (backend, clock, request) = held(Ttl::MAX).await;
    let polling = tokio::spawn(async move {
        let policy = Backoff::new(ms(10), ms(10)).unwrap().with_attempts(3).unwrap();
        let outcome = poll_acquire_with(&backend, &request, Timestamp::MAX, &policy).await;
        (outcome.unwrap(), backend.runtime().now())
    });
    clock.advance(ms(100)).await;
    let (outcome, ended) = polling.await.unwrap();
    assert!(matches!(outcome, Acquire::TimedOut(_)), "{outcome:?}");
    assert_eq!(ended, Timestamp::ORIGIN + ms(20), "three tries, 10 ms apart");
}
