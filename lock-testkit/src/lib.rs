//! Checks for distributed locks: histories, models, linearizability checkers, invariants, reports.
//!
//! - [`history`]: what happened: operations, outcomes, times; JSON lines in and out.
//! - [`model`]: what should happen: the [`model::Model`] trait, worked models, and the sequential
//!   specification of leases.
//! - `check`: whether it did: the lock checker, the general linearizability checker, brute force,
//!   and the invariant table.
//! - `report`: why not: a text report with the few operations that contradict each other.
//!
//! Each module uses only those above it.

pub mod check;
pub mod history;
pub mod model;
pub mod suite;
