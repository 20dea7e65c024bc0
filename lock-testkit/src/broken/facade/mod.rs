//! Holders of leases with one bug each, which prove that the simulator bites: what no broken backend can show.
//!
//! [`FacadeBug::ALL`] is the catalogue. Each is a small change to one [`Holder`]: a client written by hand on
//! [`LockBackend`](leasehold::LockBackend) that, without a bug, counts validity from before it sends, on the monotonic clock,
//! less a drift margin; tells of a loss by itself; and gives up what it dropped. [`hunt_facade_bug`] looks for a fault plan
//! that gives a bug away, on the correct memory backend.

mod bug;
mod holder;
mod keeper;
mod lease;
mod store;
mod trial;
mod work;

pub use bug::FacadeBug;
pub use holder::Holder;
pub use lease::Held;
pub use trial::{
    FACADE_PLANS, FacadeTrial, hunt_facade_bug, put_facade_to_the_test, simulate_facade,
};
