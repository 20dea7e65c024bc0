//! The state machine of one key: pure, synchronous and total.
//!
//! A [`State`] is what a key is: its live leases, its queue, the ids that were given up, and its last token. Each
//! operation is a function of the state, the present instant and its arguments; what comes out is the outcome and the
//! waiters that were granted by it. Nothing here reads a clock, spawns, locks or draws a random number, so a
//! test, a fuzzer or a model checker can drive it directly.
//!
//! ```
//! use std::time::Duration;
//! use leasehold::{AcquireRequest, LeaseId, LockKey, Timestamp, TryAcquire, Ttl};
//! use leasehold_memory::state::State;
//!
//! let mut state = State::default();
//! let ttl = Ttl::new(Duration::from_secs(1))?;
//! let by = |id| Ok::<_, leasehold::Error>(AcquireRequest::new(LockKey::new("job")?, LeaseId::from_bytes([id; 16]), ttl));
//!
//! let start = Timestamp::ORIGIN;
//! let (first, _) = state.try_acquire(start, &by(1)?);
//! assert!(matches!(first, Ok(TryAcquire::Granted(_))));
//! let (second, _) = state.try_acquire(start, &by(2)?);
//! assert!(matches!(second, Ok(TryAcquire::Held(_))));
//! let (later, _) = state.try_acquire(start + ttl.get(), &by(2)?);
//! assert!(matches!(later, Ok(TryAcquire::Granted(_))), "a lease is dead at its end");
//! # Ok::<(), leasehold::Error>(())
//! ```
//!
//! # Time
//! A lease granted at `t` with ttl `d` is live in the half-open `[t, t + d)`. Every operation looks at the key as
//! it is at `now`, so leases that ran out are gone for it. Whatever *changes* the key also drops them and grants
//! the compatible prefix of the queue; what changes nothing ([`inspect`](State::inspect), a try that is held, an
//! unknown id) grants nobody. [`next_wake`](State::next_wake) says when time alone will make a difference, and
//! [`tick`](State::tick) is the operation for that instant.

mod acquire;
mod end;
mod grant;
mod inspect;
mod lease;
mod operation;
mod queue;
mod several;
mod tombstones;

use leasehold::{Error, ErrorKind, FencingToken, Grant, Held, LeaseId, Timestamp};

pub use operation::{Operation, Outcome};
pub use several::try_acquire_all;
pub use tombstones::Retention;

use self::{lease::Leases, queue::Queue, tombstones::Tombstones};

/// One key: its live leases, its queue, the ids given up, and its last token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    leases: Leases,
    queue: Queue,
    tombstones: Tombstones,
    last_token: Option<FencingToken>,
}

/// A waiter that was granted: whom to tell, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WakeUp {
    /// Who waited.
    pub id: LeaseId,
    /// What it was granted.
    pub grant: Grant,
}

/// Where a request to wait stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It has the lease.
    Granted(Grant),
    /// It stands in the queue.
    Waiting,
    /// Its deadline has come: it holds nothing and waits no more.
    TimedOut(Held),
}

/// Why a request can't be judged at all; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The id is in use on other terms (mode, limit, permits, keys), or it was released or given up before.
    IdReused,
    /// A live lease or a waiter has another finite limit.
    LimitMismatch,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let (kind, message) = match refusal {
            Refusal::IdReused => (
                ErrorKind::IdReused,
                "the lease id was used before, on other terms or for a lease that is over",
            ),
            Refusal::LimitMismatch => {
                (ErrorKind::LimitMismatch, "another finite limit is in use on this key")
            }
        };
        Self::new(kind, leasehold::Effect::None, message)
    }
}

impl State {
    /// A key that was never granted, which will remember given-up ids for this long.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self { tombstones: Tombstones::new(retention), ..Self::default() }
    }

    /// The same key as a copy of the server has it that took over: the connections of those who waited are gone, and they
    /// with them.
    #[must_use]
    pub fn without_waiters(&self) -> Self {
        Self { queue: Queue::default(), ..self.clone() }
    }

    /// When time alone may make a waiter the owner: call [`tick`](Self::tick) then. `None` while nobody waits.
    ///
    /// It moves when a lease is granted, extended or cut short, so look again after every operation.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.queue.is_empty() {
            return None;
        }
        Some(self.leases.earliest_end().unwrap_or(Timestamp::ORIGIN))
    }

    /// The greatest token granted so far.
    #[must_use]
    pub const fn last_token(&self) -> Option<FencingToken> {
        self.last_token
    }

    /// Whether a key forgotten now and made anew later would behave as this one: nothing is live, nobody waits, no
    /// id is remembered, and any token minted from now on is greater than the last one by the clock alone.
    #[must_use]
    pub fn is_forgettable(&self, now: Timestamp) -> bool {
        self.queue.is_empty() && self.forgettable_at() <= now
    }

    /// The first instant at which the key can be forgotten, if nothing happens to it until then and nobody waits.
    #[must_use]
    pub fn forgettable_at(&self) -> Timestamp {
        let leases = self.leases.latest_end().unwrap_or(Timestamp::ORIGIN);
        let tokens = self.last_token.map_or(Timestamp::ORIGIN, grant::outrun_at);
        leases.max(self.tombstones.end()).max(tokens)
    }
}
