//! Backends with one bug each, which prove that the checks bite.
//!
//! [`Bug::ALL`] is the catalogue; [`BrokenBackend`] is the backend with one of them. Most are caught by the lock
//! checker on generated programs; those that break a promise of something good are caught by a [`Scenario`].
//! [`put_to_the_test`] says which, and how many programs it took.

mod backend;
mod bug;
mod machine;
mod scenario;
mod seat;
mod trial;

pub use backend::BrokenBackend;
pub use bug::{Bug, FoundBy};
pub use scenario::Scenario;
pub use trial::{Trial, nth_program, put_to_the_test};
