//! What is counted: every outcome once, under names and labels that are declared, and gauges that come back to zero.

#![cfg(feature = "metrics")]
#![allow(
    clippy::unwrap_used,
    clippy::future_not_send,
    reason = "helpers of tests too; a recorder is of one thread"
)]

mod support;

use std::{collections::BTreeMap, future::Future};

use futures::FutureExt as _;
use leasehold::{
    Effect, Error, ErrorKind, Extension, LockBackend, Locker, Loss,
    observe::{METRICS, MetricKind},
};
use leasehold_memory::MemoryBackend;
use metrics_util::{
    MetricKind as Kind,
    debugging::{DebugValue, DebuggingRecorder, Snapshotter},
};
use support::{Faulty, manual, ms, poll_times, secs};

/// Everything that reaches the recorder on this thread.
struct Seen {
    snapshotter: Snapshotter,
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, f64>,
    histograms: BTreeMap<String, Vec<f64>>,
}

impl Seen {
    /// The samples so far; each is checked against what is declared. A snapshot starts everything anew, gauges too.
    fn look(&mut self) -> &mut Self {
        for (key, unit, help, value) in self.snapshotter.snapshot().into_vec() {
            let (kind, key) = key.into_parts();
            let metric = METRICS.iter().find(|metric| metric.name == key.name());
            let metric = metric.unwrap_or_else(|| panic!("{key} is not declared"));
            let expected = match kind {
                Kind::Counter => MetricKind::Counter,
                Kind::Gauge => MetricKind::Gauge,
                Kind::Histogram => MetricKind::Histogram,
            };
            assert_eq!(metric.kind, expected, "{key}");
            assert_eq!(help.as_deref(), Some(metric.help), "{key} is not described");
            assert!(unit.is_some(), "{key} has no unit");
            let labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
            assert_eq!(labels.len(), metric.labels.len(), "{key}");
            for ((name, value), (declared, values)) in labels.iter().zip(metric.labels) {
                assert_eq!(name, declared, "{key}");
                assert!(values.contains(value), "{key}: {value} is not declared");
            }
            let values: Vec<_> = labels.into_iter().map(|(_, value)| value).collect();
            let short = key.name().strip_prefix("leasehold_").unwrap().to_owned();
            let name = [short].into_iter().chain(values.iter().map(|&value| value.to_owned()));
            let name = name.collect::<Vec<_>>().join(" ");
            match value {
                DebugValue::Counter(count) => *self.counters.entry(name).or_default() += count,
                DebugValue::Gauge(value) => *self.gauges.entry(name).or_default() += *value,
                DebugValue::Histogram(values) => self
                    .histograms
                    .entry(name)
                    .or_default()
                    .extend(values.into_iter().map(|value| *value)),
            }
        }
        self
    }

    fn count(&mut self, name: &str) -> u64 {
        self.look().counters.get(name).copied().unwrap_or_default()
    }

    fn gauge(&mut self, name: &str) -> f64 {
        self.look().gauges.get(name).copied().unwrap_or_else(|| panic!("{name} was never set"))
    }

    fn samples(&mut self, name: &str) -> Vec<f64> {
        self.look().histograms.get(name).cloned().unwrap_or_default()
    }
}

/// Runs `test` where everything that it counts is seen.
async fn seen<F: Future>(test: impl FnOnce(Seen) -> F) -> F::Output {
    let recorder = DebuggingRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    test(Seen {
        snapshotter: recorder.snapshotter(),
        counters: BTreeMap::new(),
        gauges: BTreeMap::new(),
        histograms: BTreeMap::new(),
    })
    .await
}

#[tokio::test]
async fn every_outcome_of_an_acquisition_counts_once_with_its_wait() {
    seen(async |mut seen| {
        let (locker, faults, clock) = manual();
        let guard = locker.acquire("k").await.unwrap();
        assert!(locker.try_acquire("k").await.unwrap().is_none());
        let waiting = tokio::spawn({
            let locker = locker.clone();
            async move { locker.lock("k").wait(secs(3)).await.map(drop) }
        });
        clock.advance(secs(3)).await;
        assert!(waiting.await.unwrap().unwrap_err().is_timeout());
        drop(poll_times(locker.acquire("k"), 3).await);
        faults.freeze(true);
        let frozen = tokio::spawn({
            let locker = locker.clone();
            async move { locker.try_acquire("other").await.map(drop) }
        });
        clock.advance(secs(1)).await;
        assert_eq!(frozen.await.unwrap().unwrap_err().effect(), Effect::Unknown);
        for (outcome, wait) in
            [("granted", 0.0), ("held", 0.0), ("timeout", 3.0), ("cancelled", 0.0), ("failed", 1.0)]
        {
            assert_eq!(seen.count(&format!("acquisitions_total {outcome}")), 1, "{outcome}");
            assert_eq!(seen.samples(&format!("wait_seconds {outcome}")), [wait], "{outcome}");
        }
        assert_eq!(seen.count("contention_total lease"), 2);
        assert_eq!(seen.count("failures_total acquire unavailable"), 1);
        assert_eq!(seen.count("unknown_total acquire"), 1);
        assert_eq!(seen.gauge("acquiring"), 0.0);
        drop(guard);
    })
    .await;
}

/// What ends a lease, and what it counts as.
async fn ends(
    end: &str,
    loss: Option<&str>,
    how: impl AsyncFnOnce(Locker<Faulty>, leasehold::VirtualClock, std::sync::Arc<support::Faults>),
) {
    seen(async |mut seen| {
        let (locker, faults, clock) = manual();
        how(locker, clock.clone(), faults).await;
        clock.settle().await;
        assert_eq!(seen.gauge("active_leases"), 0.0);
        assert_eq!(seen.count("acquisitions_total granted"), 1);
        assert_eq!(seen.samples(&format!("hold_seconds {end}")).len(), 1, "{:?}", seen.histograms);
        let lost: Vec<_> =
            seen.counters.iter().filter(|(name, _)| name.starts_with("lost")).collect();
        match loss {
            Some(loss) => assert_eq!(lost, [(&format!("lost_total {loss}"), &1)]),
            None => assert!(lost.is_empty(), "{lost:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_lease_is_active_until_it_is_released() {
    seen(async |mut seen| {
        let (locker, _, clock) = manual();
        let guard = locker.acquire("k").await.unwrap();
        let other = locker.acquire("l").await.unwrap();
        assert_eq!(seen.gauge("active_leases"), 2.0);
        clock.advance(secs(7)).await;
        guard.release().await.unwrap();
        assert_eq!(seen.gauge("active_leases"), 1.0);
        assert_eq!(seen.samples("hold_seconds released"), [7.0]);
        drop(other);
        assert_eq!(seen.gauge("active_leases"), 0.0);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_guard_is_no_active_lease() {
    ends("released", None, async |locker, _, _| drop(locker.acquire("k").await.unwrap())).await;
}

#[tokio::test]
async fn a_guard_dropped_after_its_end_is_counted_once() {
    ends("lost", Some("expired"), async |locker, clock, _| {
        let guard = locker.acquire("k").await.unwrap();
        clock.advance(secs(60)).await;
        assert_eq!(guard.loss(), Some(Loss::Expired));
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn a_lost_lease_is_not_active_while_its_guard_lives() {
    seen(async |mut seen| {
        let (locker, _, clock) = manual();
        let guard = locker.acquire("k").await.unwrap();
        clock.advance(secs(60)).await;
        assert_eq!(seen.gauge("active_leases"), 0.0);
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn a_refused_extension_ends_the_active_lease() {
    seen(async |mut seen| {
        let (memory, _clock) = MemoryBackend::manual(1);
        let locker = Locker::new(memory.clone());
        let guard = locker.acquire("k").await.unwrap();
        memory.release(guard.key(), guard.id()).await.unwrap();
        assert_eq!(guard.extend(secs(30)).await.unwrap(), Extension::Lost);
        assert_eq!(seen.gauge("active_leases"), 0.0);
        assert_eq!(seen.count("lost_total refused"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_lease_is_not_active() {
    ends("lost", Some("revoked"), async |locker, _, _| {
        let guard = locker.acquire("k").await.unwrap();
        locker.revoke("k").await.unwrap();
        assert_eq!(guard.loss(), Some(Loss::Revoked));
    })
    .await;
}

#[tokio::test]
async fn a_body_that_panics_leaves_no_active_lease() {
    ends("released", None, async |locker, _, _| {
        let body = locker.with("k", async |_lease| panic!("the body's own"));
        let panicked = std::panic::AssertUnwindSafe(body).catch_unwind().await;
        assert!(panicked.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_body_stopped_by_a_loss_leaves_no_active_lease() {
    ends("lost", Some("expired"), async |locker, clock, _| {
        let body = tokio::spawn(async move {
            locker.with("k", async |_lease| std::future::pending::<()>().await).await
        });
        clock.advance(secs(60)).await;
        assert!(body.await.unwrap().unwrap_err().is_lease_lost());
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_leaves_no_active_lease() {
    ends("lost", Some("shutdown"), async |locker, clock, _| {
        let guard = locker.acquire("k").await.unwrap();
        let ending = tokio::spawn(async move { locker.shutdown(secs(1)).await });
        clock.advance(secs(2)).await;
        assert_eq!(ending.await.unwrap().taken_away.len(), 1);
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn an_acquisition_cancelled_after_its_grant_is_never_active() {
    seen(async |mut seen| {
        let (locker, faults, clock) = manual();
        faults.mute(true);
        drop(poll_times(locker.acquire("k"), 3).await);
        faults.mute(false);
        clock.settle().await;
        assert_eq!(seen.gauge("acquiring"), 0.0);
        assert_eq!(seen.gauges.get("active_leases"), None);
        assert_eq!(seen.count("acquisitions_total cancelled"), 1);
        assert_eq!(seen.count("reaped_total released"), 1, "the orphan was released");
    })
    .await;
}

#[tokio::test]
async fn a_lease_taken_before_anybody_listened_does_not_count_down() {
    let (locker, _, _clock) = manual();
    let guard = locker.acquire("k").await.unwrap();
    seen(async |mut seen| {
        leasehold::observe::describe();
        drop(guard);
        assert_eq!(seen.look().gauges.get("active_leases"), None);
        drop(locker.acquire("k").await.unwrap());
        assert_eq!(seen.gauge("active_leases"), 0.0);
    })
    .await;
}

#[tokio::test]
async fn leases_that_die_with_their_locker_and_executor_are_not_active() {
    seen(async |mut seen| {
        let (locker, _, _clock) = manual();
        let guard = locker.lock("k").keep_alive().await.unwrap();
        drop((locker, guard));
        assert_eq!(seen.gauge("active_leases"), 0.0);
    })
    .await;
}

#[tokio::test]
async fn what_is_dropped_is_counted_by_what_its_release_came_to() {
    seen(async |mut seen| {
        let (locker, faults, clock) = manual();
        drop(locker.acquire("a").await.unwrap());
        clock.settle().await;
        let gone = locker.lock("b").ttl(secs(2)).await.unwrap();
        clock.advance(secs(5)).await;
        drop(gone);
        clock.settle().await;
        let guard = locker.acquire("c").await.unwrap();
        faults.freeze(true);
        drop(guard);
        clock.advance(secs(2)).await;
        for outcome in ["released", "not_held", "unconfirmed"] {
            assert_eq!(seen.count(&format!("reaped_total {outcome}")), 1, "{outcome}");
        }
        assert_eq!(seen.count("unknown_total release"), 1);
    })
    .await;
}

#[tokio::test]
async fn renewals_count_by_answer_and_their_lag_is_seen() {
    seen(async |mut seen| {
        let (locker, faults, clock) = manual();
        let guard = locker.lock("k").ttl(secs(6)).keep_alive().await.unwrap();
        clock.advance(secs(5)).await;
        let renewed = seen.count("renewals_total renewed");
        assert!(renewed >= 2, "{renewed}");
        assert_eq!(seen.samples("renew_lag_seconds").len() as u64, renewed);
        faults.freeze(true);
        clock.advance(secs(30)).await;
        assert!(seen.count("renewals_total unknown") > 1);
        assert_eq!(seen.count("unknown_total renew"), seen.count("renewals_total unknown"));
        assert_eq!(seen.count("lost_total expired"), 1);
        faults.freeze(false);
        drop(guard);
        let guard = locker.lock("l").ttl(secs(6)).keep_alive().await.unwrap();
        faults.forget_leases(true);
        clock.advance(secs(5)).await;
        assert_eq!(seen.count("renewals_total lost"), 1);
        assert_eq!(seen.count("lost_total refused"), 1);
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn a_handover_shows_its_queue_and_its_latency() {
    seen(async |mut seen| {
        let (memory, clock) = MemoryBackend::manual(1);
        let locker = Locker::new(memory);
        let guard = locker.acquire("k").await.unwrap();
        let wait = || {
            let locker = locker.clone();
            tokio::spawn(async move { locker.acquire("k").await.map(drop) })
        };
        let waiting = [wait(), wait()];
        clock.settle().await;
        assert_eq!(seen.gauge("acquiring"), 2.0);
        assert_eq!(seen.samples("queue_ahead"), [0.0, 1.0]);
        drop(guard);
        clock.advance(ms(1)).await;
        for waited in waiting {
            waited.await.unwrap().unwrap();
        }
        assert_eq!(seen.samples("handoff_seconds").len(), 2);
        assert_eq!(seen.gauge("acquiring"), 0.0);
    })
    .await;
}

#[tokio::test]
async fn failures_count_by_operation_and_kind() {
    seen(async |mut seen| {
        let (locker, faults, clock) = manual();
        let guard = locker.acquire("k").await.unwrap();
        for _ in 0..2 {
            locker.acquire("seen").await.unwrap().release().await.unwrap();
        }
        // Only a greater token that was seen before this grant tells against it.
        clock.advance(ms(1)).await;
        *faults.tamper.lock().unwrap() =
            Some(|grant| grant.token = leasehold::FencingToken::new(1).unwrap());
        assert!(locker.try_acquire("seen").await.is_err());
        let closed: Error = {
            let other = Locker::new(MemoryBackend::new());
            let _report = other.shutdown(ms(1)).await;
            other.acquire("k").await.unwrap_err()
        };
        assert_eq!(closed.kind(), ErrorKind::Closed);
        assert_eq!(seen.count("failures_total acquire closed"), 1);
        assert_eq!(seen.count("failures_total acquire fence_regressed"), 1);
        assert!(!seen.counters.keys().any(|name| name.starts_with("unknown_total")));
        drop(guard);
    })
    .await;
}

#[test]
fn names_are_prefixed_distinct_and_end_in_their_unit() {
    let mut names = std::collections::BTreeSet::new();
    for metric in METRICS {
        assert!(metric.name.starts_with("leasehold_"), "{}", metric.name);
        assert!(names.insert(metric.name), "{} is there twice", metric.name);
        assert_eq!(metric.name.ends_with("_total"), metric.kind == MetricKind::Counter);
        let seconds = metric.unit == leasehold::observe::MetricUnit::Seconds;
        assert_eq!(metric.name.ends_with("_seconds"), seconds, "{}", metric.name);
        let series: usize = metric.labels.iter().map(|(_, values)| values.len()).product();
        assert!(series <= 100, "{} has {series} series", metric.name);
    }
}

#[test]
fn every_kind_of_error_is_a_declared_label() {
    let kinds = [
        ErrorKind::Timeout,
        ErrorKind::LeaseLost,
        ErrorKind::Unavailable,
        ErrorKind::Denied,
        ErrorKind::Foreign,
        ErrorKind::IdReused,
        ErrorKind::LimitMismatch,
        ErrorKind::FenceRegressed,
        ErrorKind::Invalid,
        ErrorKind::Unsupported,
        ErrorKind::Closed,
        ErrorKind::Internal,
    ];
    let (_, declared) = leasehold::observe::metric::FAILURES.labels[1];
    for kind in kinds {
        assert!(declared.contains(&kind.name()), "{kind:?}");
    }
    assert_eq!(declared.len(), kinds.len());
}

/// A page of the documentation; nothing where the package stands alone.
fn page(name: &str) -> String {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::read_to_string(docs.join(name)).unwrap()
}

/// The metrics in a query, each with the labels that it uses.
fn named(expression: &str) -> Vec<(String, Vec<String>)> {
    let words = |text: &str| -> Vec<String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.split(|c| !word(c)).filter(|it| !it.is_empty()).map(str::to_owned).collect()
    };
    let by = expression.split("by (").nth(1).and_then(|rest| rest.split(')').next());
    let labels = words(by.unwrap_or_default());
    let names = words(expression).into_iter().filter(|word| word.starts_with("leasehold_"));
    names.map(|name| (name, labels.clone())).collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_none_that_does_not_exist() {
    let board: serde_json::Value = serde_json::from_str(&page("dashboard.json")).unwrap();
    let mut shown = std::collections::BTreeSet::new();
    for panel in board["panels"].as_array().unwrap() {
        assert!(!panel["title"].as_str().unwrap().is_empty());
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let named = named(expression);
            assert!(!named.is_empty(), "{expression}");
            for (name, labels) in named {
                let plain = name.strip_suffix("_bucket").unwrap_or(&name);
                let metric = METRICS.iter().find(|metric| metric.name == plain);
                let metric = metric.unwrap_or_else(|| panic!("{name} does not exist"));
                assert_eq!(
                    name.ends_with("_bucket"),
                    metric.kind == MetricKind::Histogram,
                    "{name}"
                );
                for label in labels.iter().filter(|label| *label != "le") {
                    let known = metric.labels.iter().any(|(known, _)| known == label);
                    assert!(known, "{name} has no label {label}");
                }
                shown.insert(plain.to_owned());
            }
        }
    }
    let all: std::collections::BTreeSet<_> =
        METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(shown, all);
}

#[test]
fn the_documentation_has_every_metric_with_kind_labels_and_meaning() {
    let page = page("operations.md");
    for metric in METRICS {
        let kind = format!("{:?}", metric.kind).to_lowercase();
        let labels: Vec<_> = metric.labels.iter().map(|(label, _)| format!("`{label}`")).collect();
        let line =
            format!("| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.help);
        assert!(page.lines().any(|it| it == line), "docs/operations.md lacks:\n{line}");
    }
}
