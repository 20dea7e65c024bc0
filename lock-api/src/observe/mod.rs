//! What can be seen of locks: metrics and traces.
//!
//! # Metrics
//! With the feature `metrics` (on by default) everything in [`METRICS`] goes to the recorder of the `metrics` crate, if
//! one is installed; without one, nothing is allocated and next to nothing done. Labels are words of a fixed list:
//! never a key, a holder or an id.
//!
//! # Traces
//! Each acquisition is a span at level `DEBUG` with the key, and at its end the outcome, the token and the time it took.
//! Events, each with the key and, once there is one, the fencing token, never a lease id:
//!
//! | Level | Message | When |
//! |---|---|---|
//! | `DEBUG` | `acquired`, `not acquired` | an acquisition ended |
//! | `DEBUG` | `acquisition cancelled` | the caller dropped it |
//! | `DEBUG` | `released` | a guard gave its lease up, with how long it was held |
//! | `WARN` | `lease lost` | with the cause and how long it was held |
//! | `INFO` | `revoked` | an administrator took a key away through this process |
//! | `WARN` | `effect unknown` | an operation failed that may have taken effect |
//! | `DEBUG` | `operation failed` | one failed with no effect |
//! | `WARN` | `release unconfirmed` | a release in the background had no answer: the ttl ends the lease |
//! | `TRACE` | `renewed` | the keep-alive extended a lease |

mod attempt;
pub mod backend;
mod emit;
mod holding;
pub mod metric;

use crate::{Effect, Error, LockKey, Release, Revoked};

pub(crate) use attempt::{Attempt, Outcome};
pub(crate) use holding::Holding;
pub use metric::{COUNT_BUCKETS, METRICS, Metric, MetricKind, MetricUnit, SECONDS_BUCKETS};

use emit::series;

/// Tells the recorder the unit and the meaning of every metric. A [`Locker`](crate::Locker) does it when it is made; call
/// it yourself if the recorder is installed later.
pub fn describe() {
    emit::describe();
}

/// An operation failed: it counts, and what is unknown is said aloud.
pub(crate) fn failed(operation: &'static str, key: Option<&LockKey>, error: &Error) {
    emit::count_failure(&metric::FAILURES, &[operation, error.kind().name()]);
    let key = key.or_else(|| error.key()).map(LockKey::as_str);
    let kind = error.kind().name();
    match error.effect() {
        Effect::Unknown => {
            emit::count_failure(&metric::UNKNOWN, &[operation]);
            tracing::warn!(operation, key, kind, %error, "effect unknown");
        }
        Effect::None => tracing::debug!(operation, key, kind, %error, "operation failed"),
    }
}

/// As [`failed`], in passing.
pub(crate) fn seen<T>(
    operation: &'static str,
    key: Option<&LockKey>,
    result: crate::Result<T>,
) -> crate::Result<T> {
    result.inspect_err(|error| failed(operation, key, error))
}

/// A renewal is sent, so much later than planned.
pub(crate) fn renewing(lag: std::time::Duration) {
    emit::seconds(series!(RENEW_LAG), lag);
}

/// What a renewal was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    Renewed,
    Lost,
    Unknown,
}

pub(crate) fn renewal(renewal: Renewal, key: &LockKey) {
    match renewal {
        Renewal::Renewed => {
            tracing::trace!(%key, "renewed");
            emit::count(series!(RENEWALS, "outcome" => "renewed"));
        }
        Renewal::Lost => emit::count(series!(RENEWALS, "outcome" => "lost")),
        Renewal::Unknown => emit::count(series!(RENEWALS, "outcome" => "unknown")),
    }
}

/// What a release in the background came to.
pub(crate) fn reaped(key: &LockKey, answer: Option<Release>) {
    match answer {
        Some(Release::Released) => {
            emit::count(series!(REAPED, "outcome" => "released"));
        }
        Some(Release::NotHeld) => emit::count(series!(REAPED, "outcome" => "not_held")),
        None => {
            emit::count(series!(REAPED, "outcome" => "unconfirmed"));
            tracing::warn!(%key, "release unconfirmed: the ttl will end the lease");
        }
    }
}

/// An administrator took the key away.
pub(crate) fn revoked(key: &LockKey, revoked: Revoked) {
    tracing::info!(%key, leases = revoked.leases, "revoked");
}
