//! Checkers: whether a history is one that the model allows.
//!
//! - [`lock`]: the lock checker, exact and near-linear, with expiry, unknown outcomes and queues.
//! - [`linear`]: the general linearizability checker over a [`Model`](crate::model::Model).
//! - [`invariants`]: the guarantees one by one, for diagnosis.
//! - [`brute`]: every order and every instant, for small histories; the judge of the other two.

pub mod brute;
pub mod differential;
mod hash;
pub mod invariants;
mod limits;
pub mod linear;
pub mod lock;
mod places;

pub use limits::{Limits, Reached};
