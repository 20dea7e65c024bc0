//! What was answered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Call, Mode};

/// Why a try was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldReason {
    /// A live lease is in the way.
    Lease,
    /// Somebody waits ahead.
    Queue,
    /// The server does not grant yet, because it may have lost data.
    Quarantine,
}

/// What an error says about the effect of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Certainly nothing happened.
    None,
    /// It may have happened, and may still happen until it is settled.
    Unknown,
}

/// A live lease as `inspect` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseView {
    /// Its fencing token.
    pub token: u64,
    /// Its mode, if the reading shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What remained of its ttl, in nanoseconds, if the reading shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_ns: Option<u64>,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// `try_acquire`, `acquire`: the lease is live.
    Granted {
        /// The fencing token, one for all keys of the request.
        token: u64,
        /// The ttl that was granted, in nanoseconds.
        ttl_ns: u64,
    },
    /// `try_acquire`: refused.
    Held {
        /// Why.
        reason: HeldReason,
    },
    /// `acquire`: the deadline passed; the caller holds nothing and waits no more.
    TimedOut,
    /// `extend`: the expiry moved.
    Extended,
    /// `downgrade`: the lease is a read lock.
    Downgraded,
    /// `extend`, `downgrade`: the lease is gone.
    Lost,
    /// `release`: given back.
    Released,
    /// `release`: there was nothing to give back.
    NotHeld,
    /// `inspect`: one atomic reading.
    State {
        /// The live leases.
        leases: Vec<LeaseView>,
        /// How many wait, if the reading shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiters: Option<usize>,
    },
    /// `revoke`: this many live leases were removed.
    Revoked {
        /// How many.
        leases: usize,
    },
    /// The world failed.
    Error {
        /// What that says about the effect.
        effect: Effect,
        /// A short word for the kind of error (diagnosis only).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<Arc<str>>,
    },
}

impl Outcome {
    /// An error whose effect is unknown.
    #[must_use]
    pub fn unknown() -> Self {
        Self::Error { effect: Effect::Unknown, kind: None }
    }

    /// Whether it is an error whose effect is unknown.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Error { effect: Effect::Unknown, .. })
    }

    /// Whether the outcome can answer this call.
    #[must_use]
    pub fn answers(&self, call: &Call) -> bool {
        match self {
            Self::Granted { .. } => call.request().is_some(),
            Self::Held { .. } => matches!(call, Call::TryAcquire(_)),
            Self::TimedOut => matches!(call, Call::Acquire { .. }),
            Self::Extended => matches!(call, Call::Extend { .. }),
            Self::Downgraded => matches!(call, Call::Downgrade { .. }),
            Self::Lost => matches!(call, Call::Extend { .. } | Call::Downgrade { .. }),
            Self::Released | Self::NotHeld => matches!(call, Call::Release { .. }),
            Self::State { .. } => matches!(call, Call::Inspect { .. }),
            Self::Revoked { .. } => matches!(call, Call::Revoke { .. }),
            Self::Error { .. } => true,
        }
    }
}
