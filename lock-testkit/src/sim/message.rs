//! What travels between a client and the server.

use std::time::Duration;

use leasehold::{
    Acquire, AcquireRequest, ExtendRequest, Extension, FencingToken, Grant, KeyPage, KeyState,
    LeaseId, ListRequest, LockKey, Release, Result, Revoked, Timestamp, TryAcquire, Ttl,
};

use super::plan::Operation;

/// A request.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Try(AcquireRequest),
    Wait { request: AcquireRequest, within: Duration },
    Extend { key: LockKey, id: LeaseId, ttl: Ttl },
    ExtendMany(Vec<ExtendRequest>),
    Release { key: LockKey, id: LeaseId },
    Inspect(LockKey),
    Revoke(LockKey),
    List(ListRequest),
}

impl Ask {
    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::Try(_) | Self::Wait { .. } => Operation::Acquire,
            Self::Extend { .. } | Self::ExtendMany(_) => Operation::Renewal,
            Self::Release { .. } => Operation::Release,
            Self::Inspect(_) | Self::List(_) => Operation::Inspect,
            Self::Revoke(_) => Operation::Revoke,
        }
    }

    /// Whether it may change what the server keeps.
    pub(super) const fn writes(&self) -> bool {
        !matches!(self, Self::Inspect(_) | Self::List(_))
    }

    pub(super) const fn waits(&self) -> bool {
        matches!(self, Self::Wait { .. })
    }

    pub(super) const fn acquires(&self) -> Option<&AcquireRequest> {
        match self {
            Self::Try(request) | Self::Wait { request, .. } => Some(request),
            _ => None,
        }
    }

    pub(super) fn keys(&self) -> Vec<&LockKey> {
        match self {
            Self::Try(request) | Self::Wait { request, .. } => request.keys().iter().collect(),
            Self::ExtendMany(leases) => leases.iter().map(|lease| &lease.key).collect(),
            Self::Extend { key, .. }
            | Self::Release { key, .. }
            | Self::Inspect(key)
            | Self::Revoke(key) => vec![key],
            Self::List(_) => Vec::new(),
        }
    }
}

/// The reply to a request of the same kind.
#[derive(Debug)]
pub(super) enum Answer {
    Try(Result<TryAcquire>),
    Wait(Result<Acquire>),
    Extend(Result<Extension>),
    ExtendMany(Vec<Result<Extension>>),
    Release(Result<Release>),
    Inspect(Result<KeyState>),
    Revoke(Result<Revoked>),
    List(Result<KeyPage>),
    /// Nobody will answer.
    Broken,
}

impl Answer {
    pub(super) const fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Try(Ok(TryAcquire::Granted(grant))) | Self::Wait(Ok(Acquire::Granted(grant))) => {
                Some(grant)
            }
            _ => None,
        }
    }

    pub(super) fn token(&self) -> Option<FencingToken> {
        self.grant().map(|grant| grant.token)
    }
}

/// A reply on its way, with what the client needs to date a grant on its own clock.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    /// When the request had come, on the server's clock.
    pub(super) came: Timestamp,
}
