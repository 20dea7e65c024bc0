//! The kinds of locks: each a few lines over [`Locker`](crate::Locker), on the one lease.
//!
//! [`semaphore`] and [`read_write`] are modes of a lease, [`several`] is several keys at once.

mod read_write;
mod semaphore;
mod several;

pub use semaphore::Semaphore;
pub use several::{GuardSet, LeaseSet};
