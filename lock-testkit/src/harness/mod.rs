//! A harness for services of yours that use locks: what becomes of them when the lock fails?
//!
//! Say what the service is, what is asked of it, and what must hold, as a [`Subject`]. A [`Harness`] has many clients use
//! it in the [simulator](crate::sim) under one generated fault plan after another, and makes the first one that breaks it
//! small: no fault and no operation of it can be left out.

mod aim;
mod end;
mod failure;
mod hunt;
mod ledger;
mod runner;
mod shrink;
mod steps;
mod store;
mod subject;

pub use end::End;
pub use failure::{Failure, Size};
pub use hunt::Hunted;
pub use ledger::Called;
pub use runner::{Case, Harness, Tried};
pub use store::SimStore;
pub use subject::Subject;
