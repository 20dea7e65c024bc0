//! The sequential specification of leases, as a small pure type.
//!
//! [`LockModel::step`] answers: from this state, at this instant of the backend's clock, can this call
//! have this outcome, and in which states does that leave the keys? It reads no clock and shares no
//! code with any backend. The end of a lease is kept as an interval: under a virtual clock
//! ([`Slack::EXACT`]) the interval is one instant, against a real server it is as wide as the declared
//! [`Slack`], and each observation narrows it.
//!
//! The queue is not part of the state, because who waits is known from outside only in part; what is
//! known comes as a [`QueueView`].

mod ends;
mod observe;
mod policy;
mod slack;
mod state;
mod step;

pub use policy::Policy;
pub use slack::{Slack, Span};
pub use state::{LiveLease, LockState};
pub use step::{LockModel, QueueView, Took};
