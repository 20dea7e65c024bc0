//! A writer that becomes a reader.

use async_trait::async_trait;

use crate::{Downgrade, LeaseId, LockKey, Result};

/// Turns an exclusive lease into a read lock in one step, reached by
/// [`LockBackend::downgrade`](crate::LockBackend::downgrader).
#[async_trait]
pub trait DowngradeBackend: Send + Sync {
    /// Makes the live exclusive lease of `id` a read lock: [`Mode::READ`](crate::Mode::READ) with 1 permit.
    ///
    /// [`Downgraded`](Downgrade::Downgraded) if it was live: its token, its end, its age and its minimum hold stay, and
    /// nobody else ever had the key in between. Waiting readers at the head of the queue are granted at once; a waiting
    /// writer goes on waiting, and nobody overtakes it. A lease of `id` that is such a read lock already is
    /// `Downgraded` too, and nothing changes, so that a call whose reply was lost can be repeated. Else
    /// [`Lost`](Downgrade::Lost), and nothing changed: the lease is over, never was, still waits in the queue, or was released
    /// under a minimum hold.
    ///
    /// From then on the terms of the id are those of the read lock:
    /// [`try_acquire`](crate::LockBackend::try_acquire) repeated with the old ones is
    /// [`IdReused`](crate::ErrorKind::IdReused).
    ///
    /// # Errors
    /// [`IdReused`](crate::ErrorKind::IdReused) (effect none) if the lease of `id` is shared in another way, with a limit
    /// or more permits: it was never a writer; or the backend failed.
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade>;
}
