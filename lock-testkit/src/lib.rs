//! Checks for distributed locks: a conformance suite for backends, histories and models, linearizability checkers,
//! generated runs, mocks.
//!
//! - [`history`]: what happened: operations, outcomes, times; JSON lines in and out.
//! - [`record`]: recording the history of any backend.
//! - [`model`]: what should happen: the [`model::Model`] trait, worked models, and the sequential
//!   specification of leases.
//! - [`check`]: whether it did: the lock checker, the general linearizability checker, brute force,
//!   and the invariant table.
//! - [`report`]: why not: the few operations that contradict each other, as text or as a page with a time line.
//! - [`generate`]: concurrent programs at random: run, recorded, checked and shrunk.
//! - [`suite`]: one test per promise of a backend, enrolled in one line.
//! - [`vectors`]: tables of operations and outcomes for every implementation of the specification.
//! - [`mock`]: backends that answer what a test tells them to.
//! - [`broken`]: backends with one bug each, which prove that the checks bite.
//! - [`sim`]: a deterministic simulator: clients, clocks, a network, a server, and fault plans.
//! - [`harness`]: putting your own locked service to the test in the simulator.
//!
//! None uses one below it.

pub mod broken;
pub mod check;
mod execute;
pub mod generate;
pub mod harness;
pub mod history;
pub mod mock;
pub mod model;
pub mod record;
pub mod report;
pub mod sim;
pub mod suite;
pub mod vectors;
