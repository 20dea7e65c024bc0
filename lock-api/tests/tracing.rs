//! What is written down, at which level, with which fields; and never a lease id.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use leasehold::{LockBackend, Locker};
use leasehold_memory::MemoryBackend;
use support::{manual, ms, poll_times, secs};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// Everything that is written: `LEVEL message field=value …`, spans too.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn push(&self, begin: String, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(begin);
        record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    /// The only line with this beginning.
    fn one(&self, begin: &str) -> String {
        let lines: Vec<_> =
            self.lines().into_iter().filter(|line| line.starts_with(begin)).collect();
        let [line] = &lines[..] else {
            panic!("{begin}: {lines:?} of {:#?}", self.lines());
        };
        line.clone()
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{} {value:?}{}", self.0, "");
        } else {
            self.0.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let begin = format!("SPAN {}", attributes.metadata().name());
        self.push(begin, |fields| attributes.record(fields));
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        self.push("RECORD".to_owned(), |fields| values.record(fields));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.push(event.metadata().level().to_string(), |fields| event.record(fields));
    }
}

fn listening() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(log.clone());
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn an_acquisition_is_a_span_and_ends_in_an_event_with_token_and_time() {
    let (log, _listening) = listening();
    let (locker, _, clock) = manual();
    let guard = locker.acquire("k").await.unwrap();
    let token = guard.token();
    assert_eq!(log.one("SPAN acquire"), "SPAN acquire key=k");
    assert_eq!(
        log.one("DEBUG acquired"),
        format!("DEBUG acquired key=k token={token} elapsed=0ns")
    );
    assert!(locker.try_acquire("k").await.unwrap().is_none());
    let not = log.one("DEBUG not acquired");
    assert!(not.contains("key=k outcome=\"held\" reason=lease elapsed=0ns"), "{not}");
    clock.advance(secs(2)).await;
    guard.release().await.unwrap();
    assert_eq!(log.one("DEBUG released"), format!("DEBUG released key=k token={token} held=2s"));
    let recorded: Vec<_> =
        log.lines().into_iter().filter(|line| line.starts_with("RECORD")).collect();
    assert!(recorded.contains(&"RECORD outcome=\"granted\"".to_owned()), "{recorded:?}");
    assert!(recorded.contains(&format!("RECORD token={token}")), "{recorded:?}");
}

#[tokio::test]
async fn a_loss_is_a_warning_with_its_cause() {
    let (log, _listening) = listening();
    let (locker, _, clock) = manual();
    let guard = locker.lock("k").ttl(secs(10)).await.unwrap();
    let token = guard.token();
    clock.advance(secs(20)).await;
    let lost = log.one("WARN lease lost");
    assert!(
        lost.ends_with(&format!("key=k token={token} held=9.898s cause=\"expired\"")),
        "{lost}"
    );
    locker.revoke("k").await.unwrap();
    assert_eq!(log.one("INFO"), "INFO revoked key=k leases=0");
}

#[tokio::test]
async fn an_unknown_effect_is_a_warning_with_operation_and_key() {
    let (log, _listening) = listening();
    let (locker, faults, clock) = manual();
    let guard = locker.acquire("k").await.unwrap();
    faults.freeze(true);
    let extending = tokio::spawn({
        let lease = guard.lease().clone();
        async move { lease.extend(secs(20)).await }
    });
    clock.advance(secs(2)).await;
    assert!(extending.await.unwrap().is_err());
    let unknown = log.one("WARN effect unknown");
    assert!(unknown.contains("operation=\"extend\" key=\"k\" kind=\"unavailable\""), "{unknown}");
}

#[tokio::test]
async fn a_cancelled_acquisition_is_said() {
    let (log, _listening) = listening();
    let (locker, faults, _clock) = manual();
    faults.freeze(true);
    drop(poll_times(locker.acquire("k"), 2).await);
    assert_eq!(
        log.one("DEBUG acquisition cancelled"),
        "DEBUG acquisition cancelled key=k elapsed=0ns"
    );
}

/// Everything that a lease can go through, at every level: its id is in none of it, not even its beginning.
#[tokio::test]
async fn no_lease_id_is_ever_written() {
    let (log, _listening) = listening();
    let (locker, faults, clock) = manual();
    let mut ids = Vec::new();
    let guard = locker.lock("kept").ttl(secs(6)).keep_alive().await.unwrap();
    ids.push(guard.id());
    assert!(locker.try_acquire("kept").await.unwrap().is_none());
    clock.advance(secs(5)).await;
    guard.extend(secs(8)).await.unwrap();
    faults.freeze(true);
    clock.advance(secs(30)).await;
    drop(guard);
    clock.advance(secs(5)).await;
    faults.freeze(false);
    let guard = locker.lock("revoked").await.unwrap();
    ids.push(guard.id());
    locker.revoke("revoked").await.unwrap();
    drop(guard.release().await);
    let guard = locker.lock("forgotten").ttl(secs(6)).keep_alive().await.unwrap();
    ids.push(guard.id());
    faults.forget_leases(true);
    clock.advance(secs(5)).await;
    drop(guard);
    let guard = locker.lock("unreleased").await.unwrap();
    ids.push(guard.id());
    faults.mute(true);
    drop(poll_times(locker.acquire("cancelled"), 3).await);
    drop(guard);
    clock.advance(secs(5)).await;
    let left = locker.acquire("left");
    drop(poll_times(left, 2).await);
    faults.mute(false);
    let guard = locker.lock("body").await.unwrap();
    ids.push(guard.id());
    let ending = tokio::spawn(async move { locker.shutdown(ms(1)).await });
    clock.advance(secs(5)).await;
    drop(ending.await.unwrap());
    let text = log.lines().join("\n");
    for expected in
        ["acquired", "lease lost", "renewed", "effect unknown", "release unconfirmed", "revoked"]
    {
        assert!(text.contains(expected), "the log has no {expected}: {text}");
    }
    for id in ids {
        let hex = id.expose_hex();
        assert!(!text.contains(&hex[..8]), "{text}");
    }
}

#[tokio::test]
async fn the_levels_are_those_of_the_documentation() {
    let (log, _listening) = listening();
    let (memory, _clock) = MemoryBackend::manual(1);
    let locker = Locker::new(memory.clone());
    let guard = locker.acquire("k").await.unwrap();
    memory.release(guard.key(), guard.id()).await.unwrap();
    guard.extend(secs(20)).await.unwrap();
    drop(guard);
    let levels: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| !line.starts_with("SPAN") && !line.starts_with("RECORD"))
        .filter(|line| line.starts_with(Level::WARN.as_str()) || line.starts_with("INFO"))
        .collect();
    assert_eq!(levels.len(), 1, "an ordinary day says nothing aloud: {levels:?}");
    assert!(levels[0].starts_with("WARN lease lost"));
}
