//! What a backend does: the trait that Redis, memory and yours implement.

mod admin;
mod backoff;
mod batch;
mod capabilities;
mod downgrade;
mod forward;
mod listing;
mod poll;
mod revocations;

use std::fmt::Debug;

use async_trait::async_trait;

pub use admin::AdminBackend;
pub use backoff::{Backoff, BackoffDelays};
pub use batch::{BatchBackend, ExtendRequest};
pub use capabilities::{Capabilities, Capability};
pub use downgrade::DowngradeBackend;
pub use listing::{Cursor, KeyPage, ListRequest, ListedKey};
pub use poll::{poll_acquire, poll_acquire_with};
pub use revocations::{RevocationListener, RevocationListeners};

use crate::{
    Acquire, AcquireRequest, Extension, KeyState, LeaseId, LockKey, Release, Result, Runtime,
    Timestamp, TryAcquire, Ttl,
};

/// A place where leases are kept.
///
/// This is for those who write backends and wrappers; users hold a [`Locker`](crate::Locker). The methods are
/// few, and none has a default: a wrapper that forgot one would silently lose what its inner backend does.
///
/// # Contract
/// The sequential specification, in the words that the conformance suite of `leasehold-testkit` checks:
///
/// - Time is the backend's own clock, never the caller's. A lease granted or extended at `t` with ttl `d` is
///   certainly live in `[t, t + d)` and certainly dead at `t + d + r`, where `r` is the declared
///   [`expiry_resolution`](Capabilities::expiry_resolution). Every operation first expires.
/// - A request is *compatible* if no lease is live, or all live ones and the request are shared and
///   their permits together stay within the smallest limit among them.
/// - Tokens of a key are unique and grow in grant order, over release, expiry and revocation.
/// - Contention and loss are outcomes. An `Err` means that the world failed, and says whether the operation
///   may have taken effect. A backend never sends again what may have taken effect.
/// - Waiters of a key are granted in the order in which they came, a compatible prefix at a time.
/// - No policy lives here: no renewal, no retry, no defaults.
///
/// # Cancellation safety
/// Every future may be dropped at any await. What was sent may still take effect then; the caller
/// gives the id up with [`release`](Self::release), which a backend must not let overtake
/// what it cleans up after. A dropped [`acquire`](Self::acquire) leaves the queue by itself.
///
/// # Example
/// `Arc<dyn LockBackend>`, `Arc<T>` and `Box<T>` are backends too:
///
/// ```
/// use std::sync::Arc;
/// use leasehold::{LockBackend, Locker};
/// use leasehold_memory::MemoryBackend;
///
/// let shared: Arc<dyn LockBackend> = Arc::new(MemoryBackend::new());
/// let locker = Locker::new(shared);
/// # let _ = locker;
/// ```
#[async_trait]
pub trait LockBackend: Debug + Send + Sync + 'static {
    /// Tries once, without waiting.
    ///
    /// [`Granted`](TryAcquire::Granted) if the request is compatible on each of its keys and nobody
    /// waits ahead. If the id is live already, with the same mode, limit and permits: granted with the *same*
    /// token, its expiry `max(expiry, now + ttl)`, so that a call whose reply was lost can be repeated. Else
    /// [`Held`](TryAcquire::Held), and nothing changed; the reason is [`Queue`](crate::HeldReason::Queue) whenever somebody
    /// else waits. An id released under a minimum hold that still runs is `Held`, never revived.
    ///
    /// # Errors
    /// [`IdReused`](crate::ErrorKind::IdReused) (effect none) if the id is live with another mode, limit or permits, or
    /// was released or given up before, or holds only some of the request's keys; [`LimitMismatch`](crate::ErrorKind::LimitMismatch) (effect
    /// none) if a live lease or a waiter has another finite limit; or the backend failed.
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire>;

    /// Waits in the key's queue until it is granted or `deadline` comes, on the clock of
    /// [`runtime`](Self::runtime).
    ///
    /// A free key is granted at once, also when the deadline has passed. At the deadline it leaves the queue and answers
    /// [`TimedOut`](Acquire::TimedOut): then it holds nothing and waits no more. A backend without a
    /// queue returns [`poll_acquire(self, request, deadline)`](poll_acquire). A timed-out id is given up: it is never granted
    /// again. So is one that is released while it waits; its wait ends with [`IdReused`](crate::ErrorKind::IdReused).
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire).
    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire>;

    /// Makes the lease of `id` end no earlier than `ttl` from now.
    ///
    /// [`Extended`](Extension::Extended) with expiry `max(expiry, now + ttl)` if it is live and was not released
    /// under a minimum hold; else [`Lost`](Extension::Lost), also when nobody took the key since.
    ///
    /// # Errors
    /// The backend failed.
    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension>;

    /// Gives up the lease of `id`, or gives up the id itself if it holds nothing (yet).
    ///
    /// [`Released`](Release::Released) if it was live: the key goes to the next waiter. With a minimum hold the expiry becomes
    /// `max(now, granted + min_hold)` instead, and the lease can be neither extended nor revived.
    /// Else [`NotHeld`](Release::NotHeld): no other id's lease is touched. Repeating it is harmless.
    ///
    /// # Errors
    /// The backend failed.
    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release>;

    /// Reads the key in one atomic look: live leases and waiters. It grants nobody.
    ///
    /// # Errors
    /// The backend failed.
    async fn inspect(&self, key: &LockKey) -> Result<KeyState>;

    /// What this backend can do, and how sharp its expiry is.
    fn capabilities(&self) -> Capabilities;

    /// The clock, randomness and tasks that this backend uses. A [`Locker`](crate::Locker) takes
    /// them over, so that both always speak of the same time.
    fn runtime(&self) -> &Runtime;

    /// Several operations in one round trip, if the backend can.
    fn batch(&self) -> Option<&dyn BatchBackend>;

    /// Administration, if the backend can.
    fn admin(&self) -> Option<&dyn AdminBackend>;

    /// Making a writer a reader, if the backend can.
    fn downgrader(&self) -> Option<&dyn DowngradeBackend>;
}
