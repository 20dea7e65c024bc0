//! A lease's life in this process: registered → held → expiring → lost or released.
//!
//! [`life`] is that state machine, pure; [`record`] shares one life between the guard, the body and the
//! keeper; [`keeper`] renews and tells of loss; [`reaper`] releases what was dropped.

pub(crate) mod keeper;
mod life;
mod lost;
pub(crate) mod reaper;
pub(crate) mod record;
mod renewal;
mod worker;

pub use life::Loss;
pub(crate) use life::{End, KeepAlive, Terms};
pub use lost::{Expiring, Lost};
