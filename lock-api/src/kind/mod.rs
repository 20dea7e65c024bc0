//! The kinds of locks: each a few lines over [`Locker`](crate::Locker), on the one lease.
//!
//! [`semaphore`] and [`read_write`] are modes of a lease.

mod read_write;
mod semaphore;

pub use semaphore::Semaphore;
