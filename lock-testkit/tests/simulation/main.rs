//! The simulator: the same run every time, faults that do what they say, no alarm on what is correct.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

mod backends;
mod beliefs;
mod bodies;
mod determinism;
mod facades;
mod faults;
mod plans;
mod shrinking;
mod survives;
