//! What the backend and its state machine do, by concern.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod cancel;
mod determinism;
mod forgetting;
mod outcomes;
mod properties;
mod queue;
mod script;
mod several;
mod support;
mod threads;
mod waiting;
