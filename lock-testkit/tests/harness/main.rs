//! The harness for services that use locks: it finds what is broken, passes what is right, and says why.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

mod command;
mod guide;
mod services;
mod small;
mod subjects;

#[allow(dead_code, reason = "its `main` is for the command")]
#[path = "../../examples/simulate.rs"]
mod simulate;
