//! The kinds of locks, on a clock turned by hand.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod election;
mod read_write;
mod reentrant;
mod semaphore;
mod several;
#[path = "../support/mod.rs"]
mod support;

/// More polls than any future that is dropped here takes.
const POLLS: usize = 60;

/// Runs a generated program: no real time passes, and nothing else runs beside it.
fn play<F: Future>(program: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(program)
}
