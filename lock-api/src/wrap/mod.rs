//! Backends around backends, for any of them and in any order.

mod prefix;
mod timeout;

pub use prefix::Prefix;
pub use timeout::Timeout;
