//! What an implementation must answer.

use std::time::Duration;

use async_trait::async_trait;
use leasehold::{
    AcquireRequest, Capability, ErrorKind, FencingToken, HeldReason, KeyState, LeaseId, LockKey,
    Ttl,
};

/// An implementation of the sequential specification, in its empty state.
///
/// All instants are durations since the vector began, and never go back.
#[async_trait]
pub trait Machine: Send {
    /// Whether it can do this; vectors that need more are not for it.
    fn can(&self, capability: Capability) -> bool;

    /// Lets time pass until `at`, then does `operation`; says what came of it, and what happened to waiters on the way.
    async fn apply(&mut self, at: Duration, operation: &Operation) -> Answer;

    /// Looks at the key, changing nothing. `at` is never later than the last operation's.
    async fn inspect(&mut self, at: Duration, key: &LockKey) -> KeyState;
}

/// One operation of a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Tries once.
    TryAcquire(AcquireRequest),
    /// Waits until it is granted or the deadline comes.
    Acquire {
        /// What is asked for.
        request: AcquireRequest,
        /// When the wait ends.
        deadline: Duration,
    },
    /// Extends.
    Extend {
        /// The lease's key.
        key: LockKey,
        /// The lease's id.
        id: LeaseId,
        /// At least this long from now.
        ttl: Ttl,
    },
    /// Makes a writer a reader.
    Downgrade {
        /// The lease's key.
        key: LockKey,
        /// The lease's id.
        id: LeaseId,
    },
    /// Releases.
    Release {
        /// The lease's key.
        key: LockKey,
        /// The lease's id.
        id: LeaseId,
    },
    /// Removes every lease of a key.
    Revoke {
        /// The key.
        key: LockKey,
    },
    /// A waiter gives up: its future is dropped.
    Cancel {
        /// The key it waits for.
        key: LockKey,
        /// Its id.
        id: LeaseId,
    },
    /// Nobody does anything, but time has passed and every waiter has looked again.
    Tick,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Granted, at once, with this token.
    Granted(FencingToken),
    /// Not granted.
    Held(HeldReason),
    /// It waits.
    Queued,
    /// It does not wait: the deadline has passed.
    TimedOut,
    /// Extended.
    Extended,
    /// Made a reader.
    Downgraded,
    /// Nothing to extend or to downgrade.
    Lost,
    /// Released.
    Released,
    /// Nothing to release.
    NotHeld,
    /// This many leases were removed.
    Revoked(usize),
    /// A tick or a cancellation: there is nothing to say.
    Nothing,
    /// An error of this kind, without effect.
    Refused(ErrorKind),
}

/// What happened to a waiter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its turn came.
    Granted {
        /// Whose.
        id: LeaseId,
        /// With which token.
        token: FencingToken,
    },
    /// Its deadline came.
    TimedOut {
        /// Whose.
        id: LeaseId,
    },
}

/// An outcome, and what happened to waiters, in the order of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What came of the operation.
    pub outcome: Outcome,
    /// What happened to waiters since the last operation, and by this one.
    pub events: Vec<Event>,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, events: Vec::new() }
    }
}
