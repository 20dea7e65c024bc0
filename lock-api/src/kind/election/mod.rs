//! One leader at a time: an exclusive lease that is kept alive, and watched.
//!
//! [`leadership`] is what the leader holds, [`observe`] what the others see, [`mod@run`] a loop that survives losing, and
//! [`owner`] the same as an owner lock: claim, ask, clear.

mod leadership;
mod observe;
mod owner;
mod run;

use std::{fmt, sync::Arc, time::Duration};

pub use leadership::{Leader, Leadership};
pub use observe::LeaderChanges;

use self::owner::Owner;
use crate::{IntoLockKey, LockBackend, LockKey, LockRequest, Locker, Result};

/// An election: of those who campaign, at most one leads, and when it goes the next one does. Made by
/// [`Locker::election`].
///
/// The leader holds an exclusive lease that is renewed until it [resigns](Leadership::resign), and its term is the fencing
/// token: a leader of a later term has a greater one. A leader that can't renew learns so from its own clock before
/// anybody else can lead. Work that is under way then can still reach a resource: send the term along, so that the
/// resource refuses the old one (see [`fenced`](crate::fenced)).
///
/// Losers wait in the backend's queue; where it has none, they poll. A `max_lifetime` in the [`Config`](crate::Config) is
/// the longest a leader leads.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
/// let election = locker.election("scheduler").label("node-1");
///
/// let leadership = election.campaign().await?;
/// let leader = election.leader().await?.expect("we lead");
/// assert_eq!((leader.holder.label(), leader.term), (Some("node-1"), leadership.term()));
///
/// tokio::select! {
///     loss = leadership.lost() => println!("stop at once: {loss}"),
///     () = schedule() => leadership.resign().await.map(drop)?,
/// }
/// # async fn schedule() {}
/// # Ok(()) }
/// ```
pub struct Election<B: LockBackend + ?Sized = dyn LockBackend> {
    locker: Locker<B>,
    key: Result<LockKey>,
    ttl: Option<Duration>,
    label: Option<String>,
    owner: Arc<Owner<B>>,
}

impl<B: LockBackend + ?Sized> Locker<B> {
    /// The election of this name, which is a key like any other. A bad key is reported when it is used.
    #[must_use]
    pub fn election(&self, key: impl IntoLockKey) -> Election<B> {
        let (locker, key) = (self.clone(), key.into_lock_key());
        Election { locker, key, ttl: None, label: None, owner: Arc::default() }
    }
}

impl<B: LockBackend + ?Sized> Election<B> {
    /// How long after a leader's crash the next one takes over at the latest; the leader renews after a third of it.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// What this candidate calls itself: what others see as the [`leader`](Self::leader), or the owner.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Waits until this candidate leads, however long that takes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a bad key, ttl or label; [`Closed`](crate::ErrorKind::Closed) after a
    /// shutdown; or the backend failed. [`run`](Self::run) goes on over failures that pass.
    ///
    /// # Cancellation safety
    /// The candidate withdraws, and nothing stays behind.
    pub async fn campaign(&self) -> Result<Leadership<B>> {
        self.candidacy().acquire().await.map(Leadership::new)
    }

    /// Tries once: `None` if somebody leads, or others wait to.
    ///
    /// # Errors
    /// As [`campaign`](Self::campaign).
    ///
    /// # Cancellation safety
    /// Nothing stays behind.
    pub async fn try_campaign(&self) -> Result<Option<Leadership<B>>> {
        Ok(self.candidacy().try_acquire().await?.map(Leadership::new))
    }

    /// Who leads at this moment, as the backend sees it. It may change before you read the answer.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a bad key; else the backend failed.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn leader(&self) -> Result<Option<Leader>> {
        let state = self.locker.inspect(self.key.clone()).await?;
        Ok(state.leases.into_iter().find_map(Leader::of))
    }

    fn candidacy(&self) -> LockRequest<B> {
        let mut request = self.locker.lock(self.key.clone()).wait_forever().keep_alive();
        if let Some(ttl) = self.ttl {
            request = request.ttl(ttl);
        }
        match &self.label {
            Some(label) => request.label(label.clone()),
            None => request,
        }
    }
}

impl<B: LockBackend + ?Sized> Clone for Election<B> {
    fn clone(&self) -> Self {
        Self {
            locker: self.locker.clone(),
            key: self.key.clone(),
            ttl: self.ttl,
            label: self.label.clone(),
            owner: Arc::clone(&self.owner),
        }
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for Election<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Election")
            .field("key", &self.key)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}
