//! Time as a dependency: instants, the clock they come from, and the clock that tests turn by hand.

mod clock;
mod drift;
mod timestamp;
mod virtual_clock;

pub use clock::{Clock, Sleep, sleep, timeout_at};
pub use drift::DriftAllowance;
pub use timestamp::Timestamp;
pub use virtual_clock::VirtualClock;
