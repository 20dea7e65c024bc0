//! What a backend answers: contention and loss are values here, never errors.

use std::{fmt, time::Duration};

use crate::{FencingToken, Holder, Mode, Timestamp, Ttl};

/// A lease was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Greater than every token ever granted on each key of the request.
    pub token: FencingToken,
    /// How long the lease lasts from the grant, on the backend's clock.
    pub ttl: Ttl,
    /// An instant of the local clock certainly not after the grant: what validity is counted from.
    pub since: Timestamp,
}

/// The answer to one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryAcquire {
    /// The lease is yours.
    Granted(Grant),
    /// Somebody or something is in the way; nothing changed.
    Held(Held),
}

/// The answer to an acquire that waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquire {
    /// The lease is yours, in its turn.
    Granted(Grant),
    /// The deadline came first: nothing is held and nothing waits any more.
    TimedOut(Held),
}

/// What stands in the way of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Why it was not granted.
    pub reason: HeldReason,
    /// The soonest moment at which it can change by itself; `None` if the backend can't say.
    pub retry_after: Option<Duration>,
    /// Who holds the key, as far as they said; at most a handful, for diagnosis.
    pub holders: Vec<Holder>,
}

impl Held {
    /// Held for `reason`, nothing more known.
    #[must_use]
    pub const fn because(reason: HeldReason) -> Self {
        Self { reason, retry_after: None, holders: Vec::new() }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason=`{}`", self.reason)?;
        if let Some(holder) = self.holders.first() {
            write!(f, ", held_by=`{holder}`")?;
        }
        if let Some(after) = self.retry_after {
            write!(f, ", retry_after=`{after:?}`")?;
        }
        Ok(())
    }
}

/// Why a try was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HeldReason {
    /// A live lease is not compatible with the request.
    Lease,
    /// The key may be free, but somebody waits ahead.
    Queue,
    /// The server lost data, or took over from one that may have: it grants nothing until every
    /// lease that its predecessor can have granted is over.
    Quarantine,
}

impl fmt::Display for HeldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lease => "lease",
            Self::Queue => "queue",
            Self::Quarantine => "quarantine",
        })
    }
}

/// The answer to an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// The lease now ends no earlier than its ttl after this operation; it never ends sooner than before.
    Extended,
    /// The lease is over, or never was: it is not brought back.
    Lost,
}

/// The answer to a downgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downgrade {
    /// The lease is a read lock now; it has its token and its end as before.
    Downgraded,
    /// The lease is over, or never was: nothing changed.
    Lost,
}

/// The answer to a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The lease was live and is given up (under a minimum hold: will be, when that is over).
    Released,
    /// No such lease was live; nothing changed.
    NotHeld,
}

/// A reading of one key at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyState {
    /// The live leases, oldest first.
    pub leases: Vec<LeaseInfo>,
    /// Those who wait, first come first.
    pub waiters: Vec<WaiterInfo>,
}

impl KeyState {
    /// Whether any lease is live.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        !self.leases.is_empty()
    }

    /// Whether anybody holds the key or waits for it.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        !self.leases.is_empty() || !self.waiters.is_empty()
    }
}

/// A live lease, as anyone may see it: without its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseInfo {
    /// Who says to hold it.
    pub holder: Holder,
    /// How it shares the key.
    pub mode: Mode,
    /// How many permits it takes.
    pub permits: u32,
    /// Its fencing token.
    pub token: FencingToken,
    /// How long it lasts from this reading.
    pub remaining: Duration,
    /// How long ago it was granted.
    pub age: Duration,
    /// Whether it was released under a minimum hold: it only runs out, nobody holds it any more.
    pub released: bool,
}

/// Somebody who waits, as anyone may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiterInfo {
    /// Who says to wait.
    pub holder: Holder,
    /// How it would share the key.
    pub mode: Mode,
    /// How many permits it wants.
    pub permits: u32,
    /// How long it has waited.
    pub waited: Duration,
}

/// The answer to a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// How many live leases were removed.
    pub leases: usize,
}
