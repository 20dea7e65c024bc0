//! The view of a lease that a body works under.

use std::{fmt, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::core::Core;
use crate::{
    Extension, FencingToken, LeaseId, LockBackend, LockKey, Loss, Result, Timestamp, Ttl,
    fenced::Fence,
    lease::{End, Expiring, Lost, record::Record},
    observe,
};

/// A lease that somebody else holds the [`Guard`](crate::Guard) of: what the body of
/// [`Locker::with`](crate::Locker::with) gets. Cloning is cheap; it does not keep the lease.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
/// let guard = locker.acquire("account:7").await?;
/// // Send the token along with every read and write: the resource refuses a lower one than it has seen.
/// let fence = guard.token().get();
/// assert!(guard.is_valid() && guard.remaining() > std::time::Duration::from_secs(20));
/// # let _ = fence;
/// # Ok(()) }
/// ```
pub struct Lease<B: LockBackend + ?Sized = dyn LockBackend> {
    pub(super) core: Arc<Core<B>>,
    pub(super) record: Arc<Record>,
    pub(super) number: u64,
    token: FencingToken,
}

impl<B: LockBackend + ?Sized> Lease<B> {
    pub(super) fn new(core: Arc<Core<B>>, record: Arc<Record>, number: u64) -> Self {
        let token = record.token().unwrap_or(FencingToken::LEAST);
        Self { core, record, number, token }
    }

    /// What is locked; the first of several keys.
    #[must_use]
    pub fn key(&self) -> &LockKey {
        &self.record.keys()[0]
    }

    /// All that is locked, in order: several if they were taken in one step.
    #[must_use]
    pub fn keys(&self) -> &[LockKey] {
        self.record.keys()
    }

    /// Whether it is renewed by itself.
    pub(crate) fn is_kept_alive(&self) -> bool {
        self.record.terms().keep_alive.is_some()
    }

    /// The proof of possession; it prints only its first bytes.
    #[must_use]
    pub fn id(&self) -> LeaseId {
        self.record.id()
    }

    /// The fencing token, for the resource to check.
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.token
    }

    /// Token and id together, for a resource that checks both; see [`fenced`](crate::fenced).
    #[must_use]
    pub fn fence(&self) -> Fence {
        Fence { token: self.token, owner: self.id() }
    }

    /// Until when the backend certainly still holds the lease, on the clock of
    /// [`Locker::runtime`](crate::Locker::runtime): its ttl from before the request was sent, minus drift. The
    /// clock's origin once the lease is over.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.record.valid_until()
    }

    /// How long the lease is still valid without a renewal; zero once it is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.valid_until().since(self.core.runtime().now())
    }

    /// Whether the lease is certainly still held, by the clock at this call.
    ///
    /// A pause can fall between this answer and what you do with it; only the fencing token closes that gap.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.record.is_valid(self.core.runtime().now())
    }

    /// Why the lease was lost, if it was.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        self.record.tick_loss(self.core.runtime().now());
        self.record.loss()
    }

    /// Ready once the lease is lost, no later than [`valid_until`](Self::valid_until) (plus the scheduler's lateness), also
    /// when the server is silent; never if it is released. Cancel safe.
    pub fn lost(&self) -> Lost {
        Lost::new(Arc::clone(&self.record), self.core.runtime().clone())
    }

    /// Cancelled when the lease is lost: to hand to code that takes a token. Never cancelled by a release.
    #[must_use]
    pub fn lost_token(&self) -> CancellationToken {
        self.record.lost().child_token()
    }

    /// Ready some time before the lease runs out (`expiring_before` of the [`Config`](crate::Config)) unless it is
    /// renewed first, and at once if it is over. Cancel safe.
    pub fn expiring(&self) -> Expiring {
        Expiring::new(Arc::clone(&self.record))
    }

    /// Makes the lease last at least `ttl` from now. It never shortens, and never brings a lost lease back:
    /// past [`valid_until`](Self::valid_until) the answer is [`Extension::Lost`] without asking the backend.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a ttl out of bounds; or the backend failed, and with an unknown effect the lease
    /// may have been extended: it is believed only until its old end.
    ///
    /// # Cancellation safety
    /// The lease may have been extended; releasing it ends it all the same.
    pub async fn extend(&self, ttl: Duration) -> Result<Extension> {
        let ttl = self.core.config().checked_ttl(ttl)?;
        let since = self.core.runtime().now();
        self.record.tick(since);
        if !self.record.is_valid(since) {
            return Ok(Extension::Lost);
        }
        for key in self.record.keys() {
            if self.extend_key(key, ttl).await? == Extension::Lost {
                self.record.end(End::Lost(Loss::Refused), self.core.runtime().now());
                self.core.keeper.reschedule(self.number);
                return Ok(Extension::Lost);
            }
        }
        self.record.extended(since, ttl);
        self.core.keeper.reschedule(self.number);
        let still_valid = self.record.is_valid(self.core.runtime().now());
        Ok(if still_valid { Extension::Extended } else { Extension::Lost })
    }

    async fn extend_key(&self, key: &LockKey, ttl: Ttl) -> Result<Extension> {
        let timeout = self.core.config().op_timeout_for(ttl);
        let extending = self.core.backend().extend(key, self.id(), ttl);
        let extended = self.core.within(timeout, "extend", extending).await;
        observe::seen("extend", Some(key), extended.map_err(|error| error.or_key(key)))
    }
}

impl<B: LockBackend + ?Sized> Clone for Lease<B> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.core), Arc::clone(&self.record), self.number)
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for Lease<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("key", self.key())
            .field("id", &self.id())
            .field("token", &self.token)
            .field("valid_until", &self.valid_until())
            .finish_non_exhaustive()
    }
}
