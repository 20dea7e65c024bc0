//! What was asked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The mode of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// Alone on the key.
    Exclusive,
    /// Beside other shared leases.
    Shared {
        /// How many permits may be live at once; absent (`None`) means unlimited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(value: &u32) -> bool {
    *value == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// A request for a lease.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRequest {
    /// A short opaque name of the lease, such as `c1.7`: never the secret id. The same name again
    /// means the same id again.
    pub lease: Arc<str>,
    /// The keys; several are granted all or none, with one token.
    pub keys: Vec<Arc<str>>,
    /// Exclusive or shared.
    pub mode: Mode,
    /// How many permits of a shared limit it takes; 1 unless said.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub permits: u32,
    /// For how long the lease is asked, in nanoseconds.
    pub ttl_ns: u64,
    /// The least time that the key stays taken after the grant, even if released, in nanoseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_hold_ns: u64,
}

impl LeaseRequest {
    /// A request for an exclusive lease on one key, without a minimum hold.
    #[must_use]
    pub fn exclusive(lease: impl Into<Arc<str>>, key: impl Into<Arc<str>>, ttl_ns: u64) -> Self {
        Self {
            lease: lease.into(),
            keys: vec![key.into()],
            mode: Mode::Exclusive,
            permits: 1,
            ttl_ns,
            min_hold_ns: 0,
        }
    }
}

/// A call to the lock service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// One attempt.
    TryAcquire(LeaseRequest),
    /// Waits in the queue until the deadline.
    Acquire {
        /// What is asked for.
        request: LeaseRequest,
        /// The deadline, in nanoseconds of the recorder's clock.
        deadline_ns: u64,
    },
    /// Moves the expiry of a live lease on one key.
    Extend {
        /// The lease.
        lease: Arc<str>,
        /// The key.
        key: Arc<str>,
        /// The new ttl, in nanoseconds.
        ttl_ns: u64,
    },
    /// Makes an exclusive lease on one key a read lock: shared, unlimited, one permit.
    Downgrade {
        /// The lease.
        lease: Arc<str>,
        /// The key.
        key: Arc<str>,
    },
    /// Gives a lease on one key back.
    Release {
        /// The lease.
        lease: Arc<str>,
        /// The key.
        key: Arc<str>,
    },
    /// Reads a key's leases and the number of its waiters.
    Inspect {
        /// The key.
        key: Arc<str>,
    },
    /// Removes every live lease of a key (administration).
    Revoke {
        /// The key.
        key: Arc<str>,
    },
}

impl Call {
    /// The keys that the call touches.
    #[must_use]
    pub fn keys(&self) -> &[Arc<str>] {
        match self {
            Self::TryAcquire(request) | Self::Acquire { request, .. } => &request.keys,
            Self::Extend { key, .. }
            | Self::Downgrade { key, .. }
            | Self::Release { key, .. }
            | Self::Inspect { key }
            | Self::Revoke { key } => std::slice::from_ref(key),
        }
    }

    /// The lease that the call names, if any.
    #[must_use]
    pub fn lease(&self) -> Option<&Arc<str>> {
        match self {
            Self::TryAcquire(request) | Self::Acquire { request, .. } => Some(&request.lease),
            Self::Extend { lease, .. }
            | Self::Downgrade { lease, .. }
            | Self::Release { lease, .. } => Some(lease),
            Self::Inspect { .. } | Self::Revoke { .. } => None,
        }
    }

    /// The request, if the call acquires.
    #[must_use]
    pub fn request(&self) -> Option<&LeaseRequest> {
        match self {
            Self::TryAcquire(request) | Self::Acquire { request, .. } => Some(request),
            Self::Extend { .. }
            | Self::Downgrade { .. }
            | Self::Release { .. }
            | Self::Inspect { .. }
            | Self::Revoke { .. } => None,
        }
    }

    /// Whether the call waits in the queue.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self, Self::Acquire { .. })
    }

    /// The name of the call, as in the file format.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TryAcquire(_) => "try_acquire",
            Self::Acquire { .. } => "acquire",
            Self::Extend { .. } => "extend",
            Self::Downgrade { .. } => "downgrade",
            Self::Release { .. } => "release",
            Self::Inspect { .. } => "inspect",
            Self::Revoke { .. } => "revoke",
        }
    }
}
