//! The conformance suite: one case for each promise that a backend makes.
//!
//! A backend is enrolled by one line, [`conformance!`](crate::conformance), in a test file of its own crate; each case becomes a test
//! that can be run by its name. The same cases run on virtual time, where they look at exact instants,
//! and in real time, where they assert only what the contract makes certain and never measure.
//!
//! | Family | Guarantees | Promise |
//! |---|---|---|
//! | exclusion, shared, several keys, minimum hold | G1 | who may be live beside whom |
//! | expiry, extend | G1, G3 | live until the end, dead from the end on |
//! | fencing | G2 | tokens are unique and grow |
//! | ownership | G4 | only the holder's id extends and releases |
//! | cancellation, identity | G5, G8 | nothing stays of what was dropped, repeated or given up |
//! | queue | G6 | first come, first served |
//! | waiting | G7 | a freed key reaches a waiter |
//! | inspect, extras | G8 | what is said is so |
//!
//! G3's local part (`is_valid`, `lost`) and G9 belong to the façade and to the resource: no backend can show them.

mod case;
mod cases;
mod conformance;
mod fixture;
mod list;
mod run;
mod trial;

pub use case::Case;
pub use fixture::{Erased, Fixture, InArc, InBox, Running, TestTime};
pub use run::{Report, Suite, check_without, run_case};
