//! From the backend's words to the history's.

use std::sync::Arc;

use leasehold::{
    Acquire, AcquireRequest, Downgrade, Error, Extension, Grant, HeldReason, KeyState, LockKey,
    Mode, Release, Result, Revoked, TryAcquire,
};

use crate::history::{self, Effect, LeaseRequest, LeaseView, Outcome};

pub(super) fn key(key: &LockKey) -> Arc<str> {
    Arc::from(key.as_str())
}

pub(super) fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn request(lease: Arc<str>, asked: &AcquireRequest) -> LeaseRequest {
    LeaseRequest {
        lease,
        keys: asked.keys().iter().map(key).collect(),
        mode: mode(asked.mode()),
        permits: asked.permits(),
        ttl_ns: nanos(asked.ttl().get()),
        min_hold_ns: asked.min_hold().map_or(0, nanos),
    }
}

fn mode(mode: Mode) -> history::Mode {
    match mode {
        Mode::Exclusive => history::Mode::Exclusive,
        Mode::Shared { limit } => history::Mode::Shared { limit: limit.get() },
    }
}

fn granted(grant: &Grant) -> Outcome {
    Outcome::Granted { token: grant.token.get(), ttl_ns: nanos(grant.ttl.get()) }
}

fn reason(reason: HeldReason) -> history::HeldReason {
    match reason {
        HeldReason::Queue => history::HeldReason::Queue,
        HeldReason::Quarantine => history::HeldReason::Quarantine,
        // What is not known yet is at least in the way.
        _ => history::HeldReason::Lease,
    }
}

fn failed(error: &Error) -> Outcome {
    let effect = match error.effect() {
        leasehold::Effect::None => Effect::None,
        leasehold::Effect::Unknown => Effect::Unknown,
    };
    Outcome::Error { effect, kind: Some(Arc::from(error.kind().name())) }
}

/// What a result of the backend is in a history.
pub(super) trait Answer {
    fn outcome(&self) -> Outcome;
}

impl<T: Answer> Answer for Result<T> {
    fn outcome(&self) -> Outcome {
        match self {
            Ok(answer) => answer.outcome(),
            Err(error) => failed(error),
        }
    }
}

impl Answer for TryAcquire {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Granted(grant) => granted(grant),
            Self::Held(held) => Outcome::Held { reason: reason(held.reason) },
        }
    }
}

impl Answer for Acquire {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Granted(grant) => granted(grant),
            Self::TimedOut(_) => Outcome::TimedOut,
        }
    }
}

impl Answer for Extension {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Extended => Outcome::Extended,
            Self::Lost => Outcome::Lost,
        }
    }
}

impl Answer for Downgrade {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Downgraded => Outcome::Downgraded,
            Self::Lost => Outcome::Lost,
        }
    }
}

impl Answer for Release {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Released => Outcome::Released,
            Self::NotHeld => Outcome::NotHeld,
        }
    }
}

impl Answer for KeyState {
    fn outcome(&self) -> Outcome {
        let view = |lease: &leasehold::LeaseInfo| LeaseView {
            token: lease.token.get(),
            mode: Some(mode(lease.mode)),
            remaining_ns: Some(nanos(lease.remaining)),
        };
        let leases = self.leases.iter().map(view).collect();
        Outcome::State { leases, waiters: Some(self.waiters.len()) }
    }
}

impl Answer for Revoked {
    fn outcome(&self) -> Outcome {
        Outcome::Revoked { leases: self.leases }
    }
}
