//! The owner lock: one process of many calls itself the owner, and asks whenever it is about to act.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync;

use super::{Election, Leadership};
use crate::{Holder, LockBackend, Release, Result};

/// The ownership that an [`Election`] and its clones hold, if they do.
pub(super) struct Owner<B: LockBackend + ?Sized> {
    /// Held by whoever changes the ownership, so that two who claim it at once don't refuse each other.
    changing: sync::Mutex<()>,
    leadership: Mutex<Option<Leadership<B>>>,
}

impl<B: LockBackend + ?Sized> Election<B> {
    /// Claims the ownership without waiting, and keeps it until [`remove_owner`](Self::remove_owner), or until this
    /// election and all its clones are dropped. Whether it is the owner now, also if it was before.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// let cron = locker.election("cron:reports").label("pod-1");
    /// let other = locker.election("cron:reports").label("pod-2");
    ///
    /// assert!(cron.set_owner().await?);
    /// assert!(!other.set_owner().await?);
    /// assert_eq!(other.owner().await?.unwrap().label(), Some("pod-1"));
    ///
    /// // On every tick, in every process:
    /// for candidate in [&cron, &other] {
    ///     if candidate.is_owner() {
    ///         // send the reports
    ///     }
    /// }
    ///
    /// assert!(!other.remove_owner().await?, "only the owner can");
    /// assert!(cron.remove_owner().await?);
    /// assert!(other.set_owner().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`campaign`](Self::campaign).
    ///
    /// # Cancellation safety
    /// Nothing stays behind, or the ownership is held.
    pub async fn set_owner(&self) -> Result<bool> {
        let _changing = self.owner.changing.lock().await;
        if self.is_owner() {
            return Ok(true);
        }
        let leadership = self.try_campaign().await?;
        let owns = leadership.is_some();
        drop(std::mem::replace(&mut *self.owner.leadership(), leadership));
        Ok(owns)
    }

    /// Whether this election is certainly the owner, by the clock at this call and without asking the backend. A pause
    /// can fall between this answer and what you do with it: only the [`term`](Self::owner_term) closes that gap.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.owner.leadership().as_ref().is_some_and(Leadership::is_leader)
    }

    /// The fencing token of the ownership, for the resource to check; `None` if this election is not the owner.
    #[must_use]
    pub fn owner_term(&self) -> Option<crate::FencingToken> {
        let leadership = self.owner.leadership();
        leadership.as_ref().filter(|it| it.is_leader()).map(Leadership::term)
    }

    /// Who owns it now, as the backend sees it: the label that the owner gave itself, its host and its process.
    ///
    /// # Errors
    /// As [`leader`](Self::leader).
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn owner(&self) -> Result<Option<Holder>> {
        Ok(self.leader().await?.map(|leader| leader.holder))
    }

    /// Gives the ownership up; whether there was one to give up. It never touches that of somebody else: for that
    /// there is [`Locker::revoke`](crate::Locker::revoke).
    ///
    /// # Errors
    /// The backend failed: with an unknown effect the ownership may last until its ttl. This election is not the owner
    /// from the call on.
    ///
    /// # Cancellation safety
    /// It goes on in the background.
    pub async fn remove_owner(&self) -> Result<bool> {
        let _changing = self.owner.changing.lock().await;
        let leadership = self.owner.leadership().take();
        match leadership {
            Some(leadership) => Ok(leadership.resign().await? == Release::Released),
            None => Ok(false),
        }
    }
}

impl<B: LockBackend + ?Sized> Owner<B> {
    fn leadership(&self) -> MutexGuard<'_, Option<Leadership<B>>> {
        self.leadership.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: LockBackend + ?Sized> Default for Owner<B> {
    fn default() -> Self {
        Self { changing: sync::Mutex::default(), leadership: Mutex::new(None) }
    }
}
