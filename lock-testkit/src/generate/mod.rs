//! Concurrent programs of lock operations: made at random, run, recorded, checked and shrunk.
//!
//! A [`Program`] is a value: what each client does, and when. [`programs`] is the proptest strategy that makes and
//! shrinks them; [`on_virtual_time`] runs one on a backend of this process, thousands a second and the same every
//! time; [`in_real_time`] runs one on a server; [`hunt`] looks for a seed whose program a backend fails.
//!
//! Two profiles find different bugs, and neither replaces the other. [`Profile::Grid`] has two clients, no
//! latency, and think times that fall on, just before and just after the ends of leases; [`Profile::Latency`] has more
//! clients, slow and lossy connections, and operations that overlap.

mod evidence;
mod hunt;
mod judge;
mod network;
mod play;
mod program;
mod real_time;
mod reduce;
mod strategy;
mod text;
mod virtual_time;

pub use crate::execute::{Stuck, run_until_done};
pub use hunt::{Failure, Hunt, Hunted, generate, hunt, shrink};
pub use judge::{Criteria, Finding, Ran};
pub use network::Network;
pub(crate) use network::mix;
pub use play::Keys;
pub use program::{Action, Ask, LeaseRef, Link, Program, Sharing, Step};
pub use real_time::in_real_time;
pub use strategy::{Profile, programs};
pub use text::ParseProgramError;
pub use virtual_time::{on_virtual_time, virtual_criteria, virtual_runtime};
