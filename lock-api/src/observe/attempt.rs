//! One acquisition, from its beginning to whatever end it has.

use std::time::Duration;

use tracing::{Span, field::Empty};

use super::{
    emit::{self, OneMore, series},
    failed,
};
use crate::{Error, FencingToken, Held, HeldReason, LockKey, Runtime, Timestamp};

/// How an acquisition ended.
pub(crate) enum Outcome<'a> {
    Granted(FencingToken),
    /// In vain, at once or after a wait.
    Held(&'a Held),
    Failed(&'a Error),
}

/// An acquisition under way. Dropped without an end, it was cancelled.
pub(crate) struct Attempt<'a> {
    runtime: &'a Runtime,
    key: &'a LockKey,
    started: Timestamp,
    waits: bool,
    span: Span,
    ended: bool,
    _acquiring: OneMore,
}

impl<'a> Attempt<'a> {
    pub(crate) fn begin(
        runtime: &'a Runtime,
        key: &'a LockKey,
        started: Timestamp,
        waits: bool,
    ) -> Self {
        let span =
            tracing::debug_span!("acquire", %key, outcome = Empty, token = Empty, elapsed = Empty);
        let acquiring = OneMore::of(series!(ACQUIRING));
        Self { runtime, key, started, waits, span, ended: false, _acquiring: acquiring }
    }

    /// What the acquisition runs in.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn end(mut self, outcome: &Outcome<'_>) {
        self.ended = true;
        let elapsed = self.runtime.now().since(self.started);
        let name = match outcome {
            Outcome::Granted(_) => "granted",
            Outcome::Held(_) if self.waits => "timeout",
            Outcome::Held(_) => "held",
            Outcome::Failed(_) => "failed",
        };
        self.note(name, elapsed);
        let (key, _entered) = (self.key, self.span.enter());
        match outcome {
            Outcome::Granted(token) => {
                self.span.record("token", token.get());
                tracing::debug!(%key, token = token.get(), ?elapsed, "acquired");
            }
            Outcome::Held(held) => {
                contended(held.reason);
                tracing::debug!(%key, outcome = name, reason = %held.reason, ?elapsed, "not acquired");
            }
            Outcome::Failed(error) => failed("acquire", Some(key), error),
        }
    }

    fn note(&self, outcome: &'static str, elapsed: Duration) {
        self.span.record("outcome", outcome);
        self.span.record("elapsed", tracing::field::debug(elapsed));
        macro_rules! both {
            ($outcome:literal) => {
                (series!(ACQUISITIONS, "outcome" => $outcome), series!(WAIT, "outcome" => $outcome))
            };
        }
        let (count, wait) = match outcome {
            "granted" => both!("granted"),
            "held" => both!("held"),
            "timeout" => both!("timeout"),
            "failed" => both!("failed"),
            _ => both!("cancelled"),
        };
        emit::count(count);
        emit::seconds(wait, elapsed);
    }
}

fn contended(reason: HeldReason) {
    let series = match reason {
        HeldReason::Lease => series!(CONTENTION, "reason" => "lease"),
        HeldReason::Queue => series!(CONTENTION, "reason" => "queue"),
        HeldReason::Quarantine => series!(CONTENTION, "reason" => "quarantine"),
    };
    emit::count(series);
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let elapsed = self.runtime.now().since(self.started);
        self.note("cancelled", elapsed);
        let _entered = self.span.enter();
        tracing::debug!(key = %self.key, ?elapsed, "acquisition cancelled");
    }
}
