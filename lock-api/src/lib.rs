//! Distributed locks to build on.
//!
//! Everything is a *lease*: a time-bounded right on a [`LockKey`], granted to a [`LeaseId`], carrying a
//! [`FencingToken`] that only grows. This crate has the trait that backends implement, the values and errors
//! it speaks in, and the façade that users touch; the backends are crates of their own.
//!
//! | You want | Look at |
//! |---|---|
//! | to take a lock | [`Locker`] |
//! | to lock a function | `#[with_lock]` (feature `macros`) |
//! | to see what goes on: metrics, traces | [`observe`] |
//! | a resource that refuses stale holders | [`fenced`] |
//! | to write a backend | [`LockBackend`], [`poll_acquire`] |
//! | to know what can go wrong | [`Error`], [`ErrorKind`], [`Effect`] |
//! | tests without waiting | [`VirtualClock`], [`Runtime::manual`] |

#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private;
mod backend;
mod config;
mod error;
pub mod fenced;
mod kind;
mod lease;
mod locker;
pub mod observe;
mod outcome;
mod request;
pub mod runtime;
mod time;
mod value;
pub mod wrap;

pub use async_trait::async_trait;

pub use backend::{
    AdminBackend, Backoff, BackoffDelays, BatchBackend, Capabilities, Capability, Cursor,
    DowngradeBackend, ExtendRequest, KeyPage, ListRequest, ListedKey, LockBackend,
    RevocationListener, RevocationListeners, poll_acquire, poll_acquire_with,
};
pub use config::{Config, ConfigBuilder};
pub use error::{Effect, Error, ErrorKind, Result};
pub use kind::{
    Election, GuardSet, InScope, Leader, LeaderChanges, Leadership, LeaseSet, ReentrantGuard,
    ReentrantScope, Semaphore,
};
pub use lease::{Expiring, Loss, Lost};
#[cfg(feature = "macros")]
pub use leasehold_macros::with_lock;
pub use locker::{Guard, Lease, LockRequest, Locker, ShutdownReport};
pub use outcome::{
    Acquire, Downgrade, Extension, Grant, Held, HeldReason, KeyState, LeaseInfo, Release, Revoked,
    TryAcquire, WaiterInfo,
};
pub use request::AcquireRequest;
pub use runtime::Runtime;
pub use time::{Clock, DriftAllowance, Sleep, Timestamp, VirtualClock, sleep, timeout_at};
pub use value::{FencingToken, Holder, IntoLockKey, LeaseId, Limit, LockKey, Mode, Ttl};

/// The examples of the README are tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
