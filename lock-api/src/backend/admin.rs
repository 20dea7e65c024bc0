//! What an operator does to other people's leases.

use std::sync::Weak;

use async_trait::async_trait;

use super::RevocationListener;
use crate::{KeyPage, ListRequest, LockKey, Result, Revoked};

/// Administration of a backend, reached by [`LockBackend::admin`](crate::LockBackend::admin).
#[async_trait]
pub trait AdminBackend: Send + Sync {
    /// Removes every live lease of `key`, minimum holds included; the next waiter is granted. The next
    /// token is still greater than all before.
    ///
    /// The former holders may not have noticed yet: only the token protects the resource from them.
    ///
    /// # Errors
    /// The backend failed.
    async fn revoke(&self, key: &LockKey) -> Result<Revoked>;

    /// One page of the keys in use that begin with the request's prefix, taken literally.
    ///
    /// Each key is read at one instant, but not all at the same one. A key that is held or waited for from the
    /// beginning of the first page to the end of the last is on one of them. Beyond that a backend may be weaker than
    /// an ordered walk: keys in any order, a key on several pages, a page with fewer keys than asked for (none, too) or a few more.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a cursor of another backend; or the backend failed.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    async fn list(&self, request: &ListRequest) -> Result<KeyPage>;

    /// Tells `listener` of every revocation that reaches this process, and of every forward step of the backend's clock that
    /// its answers show, best effort and as soon as it can, until the listener is gone. A message that is lost
    /// costs no safety beyond what the token covers: the next renewal finds the lease lost.
    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>);
}
