//! What only the backend sees, counted: reconnects, quarantine, queues, handovers.

#![cfg(feature = "metrics")]
#![allow(
    clippy::unwrap_used,
    clippy::future_not_send,
    reason = "helpers of tests too; a recorder is of one thread"
)]

mod support;

use std::{collections::BTreeMap, time::Duration};

use leasehold::{AcquireRequest, LockBackend, Locker, TryAcquire, Ttl, observe};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use support::{RedisServer, builder, exclusive, fixture, granted, held};

/// Everything that reaches the recorder on this thread.
struct Seen {
    snapshotter: Snapshotter,
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, f64>,
    histograms: BTreeMap<String, Vec<f64>>,
}

impl Seen {
    fn of(recorder: &DebuggingRecorder) -> Self {
        Self {
            snapshotter: recorder.snapshotter(),
            counters: BTreeMap::new(),
            gauges: BTreeMap::new(),
            histograms: BTreeMap::new(),
        }
    }

    /// Each sample is checked against what is declared. A snapshot starts everything anew, gauges too.
    fn look(&mut self) -> &mut Self {
        for (key, _, help, value) in self.snapshotter.snapshot().into_vec() {
            let key = key.key();
            let metric = observe::METRICS.iter().find(|metric| metric.name == key.name());
            let metric = metric.unwrap_or_else(|| panic!("{key} is not declared"));
            assert_eq!(help.as_deref(), Some(metric.help), "{key} is not described");
            for (label, (declared, values)) in key.labels().zip(metric.labels) {
                assert!(label.key() == *declared && values.contains(&label.value()), "{key}");
            }
            let words = [key.name()].into_iter().chain(key.labels().map(metrics::Label::value));
            let name = words.collect::<Vec<_>>().join(" ");
            match value {
                DebugValue::Counter(count) => *self.counters.entry(name).or_default() += count,
                DebugValue::Gauge(value) => {
                    self.gauges.insert(name, *value);
                }
                DebugValue::Histogram(values) => {
                    let samples = self.histograms.entry(name).or_default();
                    samples.extend(values.into_iter().map(|value| *value));
                }
            }
        }
        self
    }

    fn count(&mut self, name: &str) -> u64 {
        self.look().counters.get(name).copied().unwrap_or_default()
    }
}

/// Waits until it is so: what other tasks and processes bring about in their own time.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let runtime = support::runtime();
    let limit = runtime.now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(runtime.now() < limit, "{what}: not within 20 s");
        runtime.sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_connection_made_again_counts_and_one_that_was_the_first_does_not() {
    let recorder = DebuggingRecorder::new();
    let _listening = metrics::set_default_local_recorder(&recorder);
    observe::describe();
    let (mut server, backend) = fixture().await;
    let locker = Locker::new(backend);
    drop(locker.acquire("k").await.unwrap());
    let name = |link, outcome| format!("leasehold_reconnects_total {link} {outcome}");
    eventually("it listens", async || !server.command(&["PUBSUB", "CHANNELS"]).list().is_empty())
        .await;
    let mut seen = Seen::of(&recorder);
    assert_eq!(seen.count(&name("commands", "connected")), 0);
    assert_eq!(seen.count(&name("subscription", "connected")), 0);
    server.kill();
    eventually("a reconnect fails", async || {
        drop(locker.try_acquire("k").await);
        seen.count(&name("commands", "failed")) > 0
    })
    .await;
    server.start_again();
    eventually("it works again", async || locker.try_acquire("k").await.is_ok()).await;
    eventually("it listens again", async || seen.count(&name("subscription", "connected")) > 0)
        .await;
    assert!(seen.count(&name("commands", "connected")) >= 1, "{:?}", seen.counters);
}

#[tokio::test]
async fn a_server_in_quarantine_counts_and_says_for_how_long() {
    let recorder = DebuggingRecorder::new();
    let _listening = metrics::set_default_local_recorder(&recorder);
    observe::describe();
    let server = RedisServer::start();
    let connect = |max_ttl| {
        let config = leasehold_redis::RedisBackend::builder(server.url()).lanes(1);
        config.max_ttl(max_ttl).quarantine_margin(Duration::ZERO).connect()
    };
    let backend = connect(Duration::from_secs(60)).await.unwrap();
    held(&backend, &exclusive("k")).await;
    let mut seen = Seen::of(&recorder);
    assert_eq!(seen.count("leasehold_quarantines_total"), 1);
    let left = seen.gauges["leasehold_quarantine_seconds"];
    assert!((1.0..=62.0).contains(&left), "{left}");
    let short = connect(Duration::from_secs(2)).await.unwrap();
    let request = exclusive("k");
    let ttl = Ttl::new(Duration::from_secs(1)).unwrap();
    let request = AcquireRequest::new(request.key().clone(), request.id(), ttl);
    eventually("the quarantine is over", async || {
        matches!(short.try_acquire(&request).await.unwrap(), TryAcquire::Granted(_))
    })
    .await;
    assert_eq!(seen.look().gauges["leasehold_quarantine_seconds"], 0.0);
}

#[tokio::test]
async fn a_handover_shows_its_queue_and_its_latency() {
    let recorder = DebuggingRecorder::new();
    let _listening = metrics::set_default_local_recorder(&recorder);
    observe::describe();
    let server = RedisServer::start();
    let backend = builder(&server).connect().await.unwrap();
    let locker = Locker::new(backend.clone());
    let holder = exclusive("k");
    granted(&backend, &holder).await;
    let waiting = locker.lock("k").wait(Duration::from_secs(60)).acquire();
    let releasing = async {
        while locker.inspect("k").await.unwrap().waiters.is_empty() {}
        backend.release(holder.key(), holder.id()).await.unwrap();
    };
    let (guard, ()) = futures::join!(waiting, releasing);
    let mut seen = Seen::of(&recorder);
    assert_eq!(seen.look().histograms["leasehold_queue_ahead"], [0.0]);
    let latency = &seen.histograms["leasehold_handoff_seconds"];
    assert_eq!(latency.len(), 1);
    assert!((0.0..60.0).contains(&latency[0]), "{latency:?}");
    drop(guard.unwrap());
}
