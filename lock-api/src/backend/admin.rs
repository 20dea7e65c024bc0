//! What an operator does to other people's leases.

use std::sync::Weak;

use async_trait::async_trait;

use super::RevocationListener;
use crate::{LockKey, Result, Revoked};

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

    /// Tells `listener` of every revocation that reaches this process, and of every forward step of the backend's clock that
    /// its answers show, best effort and as soon as it can, until the listener is gone. A message that is lost
    /// costs no safety beyond what the token covers: the next renewal finds the lease lost.
    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>);
}
