//! Backends with one bug each, which prove that the checks bite.
//!
//! [`Bug::ALL`] is the catalogue; [`BrokenBackend`] is the backend with one of them. Most are caught by the lock
//! checker on generated programs; those that break a promise of something good are caught by a [`Scenario`].
//! [`put_to_the_test`] says which, and how many programs it took.
//!
//! Bugs of the façade (a deadline counted from the reply, a clean-up that overtakes, …) no backend can have: they are in
//! [`facade`], and what catches them is the simulator.
//!
//! What is not here: bugs of a quorum of servers (validity not reduced by what it took, a partial quorum left behind, a node that restarts
//! empty): there is no quorum yet. Stale writes that a fenced resource accepts are the resource's.

mod backend;
mod bug;
pub mod facade;
mod machine;
mod scenario;
mod seat;
mod trial;

pub use backend::BrokenBackend;
pub use bug::{Bug, FoundBy};
pub use scenario::Scenario;
pub use trial::{Trial, nth_program, put_to_the_test};
