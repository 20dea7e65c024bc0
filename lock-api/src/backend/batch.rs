//! Several operations in one round trip.

use async_trait::async_trait;

use crate::{Extension, LeaseId, LockKey, Result, Ttl};

/// One lease to extend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendRequest {
    /// The lease's key.
    pub key: LockKey,
    /// The lease's id.
    pub id: LeaseId,
    /// How long from now, at the least.
    pub ttl: Ttl,
}

/// Several operations at once, reached by [`LockBackend::batch`](crate::LockBackend::batch).
#[async_trait]
pub trait BatchBackend: Send + Sync {
    /// Extends each lease as [`LockBackend::extend`](crate::LockBackend::extend) does, and answers
    /// in the same order. Each stands for itself: one that fails does not touch the others.
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>>;
}
