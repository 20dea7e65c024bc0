//! The kinds of locks: each a few lines over [`Locker`](crate::Locker), on the one lease.
//!
//! [`semaphore`] and [`read_write`] are modes of a lease, [`several`] is several keys at once,
//! [`reentrant`] lets a scope take again what it holds, and [`election`] keeps one leader at a time.

mod election;
mod read_write;
mod reentrant;
mod semaphore;
mod several;

pub use election::{Election, Leader, LeaderChanges, Leadership};
pub use reentrant::{InScope, ReentrantGuard, ReentrantScope};
pub use semaphore::Semaphore;
pub use several::{GuardSet, LeaseSet};
