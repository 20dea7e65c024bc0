//! Asking for leases, and giving up what was asked for.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold::{
    Acquire, AcquireRequest, Clock, Effect, Extension, Grant, LeaseId, LockBackend, LockKey,
    Result, Runtime, Timestamp, TryAcquire, Ttl,
};

use super::{FacadeBug, keeper, lease::Held};
use crate::sim::Node;

/// A client that asks for leases and keeps them: a façade in small, with one bug or none.
#[derive(Clone)]
pub struct Holder {
    pub(super) backend: Arc<dyn LockBackend>,
    pub(super) runtime: Runtime,
    pub(super) wall: Arc<dyn Clock>,
    pub(super) bug: Option<FacadeBug>,
    pub(super) ttl: Ttl,
    asked: Arc<AtomicU64>,
}

impl Holder {
    /// The holder of this client with this bug, whose leases last for `ttl`.
    #[must_use]
    pub fn new(node: &Node, bug: Option<FacadeBug>, ttl: Ttl) -> Self {
        Self {
            backend: node.backend(),
            runtime: node.runtime().clone(),
            wall: node.wall_clock(),
            bug,
            ttl,
            asked: Arc::default(),
        }
    }

    pub(super) fn has(&self, bug: FacadeBug) -> bool {
        self.bug == Some(bug)
    }

    /// What may be believed of a ttl: the default drift allowance of a locker covers as much.
    pub(super) fn validity(&self) -> Duration {
        if self.has(FacadeBug::NoDriftMargin) {
            return self.ttl.get();
        }
        self.ttl.get().saturating_sub(self.ttl.get() / 100 + Duration::from_millis(2))
    }

    /// Tries once; `None` if the key is held. With `renews`, the lease is kept alive.
    ///
    /// # Errors
    /// Those of the backend. An acquire of unknown effect is given up in the background, and so is a dropped one.
    pub async fn try_acquire(&self, key: &LockKey, renews: bool) -> Result<Option<Held>> {
        let mut asking = self.ask(key);
        let sent = self.runtime.now();
        match self.backend.try_acquire(&asking.request).await {
            Ok(TryAcquire::Granted(grant)) => Ok(Some(asking.granted(grant, sent, renews))),
            Ok(TryAcquire::Held(_)) => {
                asking.settled = true;
                Ok(None)
            }
            Err(error) => {
                asking.failed(error.effect());
                Err(error)
            }
        }
    }

    /// As [`try_acquire`](Self::try_acquire), and waits in the queue for up to `within`.
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire).
    pub async fn acquire(
        &self,
        key: &LockKey,
        within: Duration,
        renews: bool,
    ) -> Result<Option<Held>> {
        let mut asking = self.ask(key);
        let deadline = self.runtime.now() + within;
        match self.backend.acquire(&asking.request, deadline).await {
            Ok(Acquire::Granted(grant)) => Ok(Some(asking.granted(grant, grant.since, renews))),
            Ok(Acquire::TimedOut(_)) => {
                asking.settled = true;
                Ok(None)
            }
            Err(error) => {
                asking.failed(error.effect());
                Err(error)
            }
        }
    }

    fn ask(&self, key: &LockKey) -> Asking {
        let id = if self.has(FacadeBug::IdsFromCounter) {
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            LeaseId::from_bytes(u128::from(number).to_be_bytes())
        } else {
            self.runtime.lease_id()
        };
        let request = AcquireRequest::new(key.clone(), id, self.ttl);
        Asking { holder: self.clone(), request, settled: false }
    }

    /// Releases in the background; nobody waits for it, and it is tried once.
    pub(super) fn give_up(&self, key: LockKey, id: LeaseId) {
        let holder = self.clone();
        self.runtime.spawn(Box::pin(async move {
            let _best_effort = holder.backend.release(&key, id).await;
        }));
    }
}

/// An acquire that may be on its way. It is there before anything is sent.
struct Asking {
    holder: Holder,
    request: AcquireRequest,
    /// Whether it is known what came of it.
    settled: bool,
}

impl Asking {
    fn granted(mut self, grant: Grant, since: Timestamp, renews: bool) -> Held {
        self.settled = true;
        let holder = &self.holder;
        let since = match holder.has(FacadeBug::DeadlineFromReply) {
            true => holder.runtime.now(),
            false => since,
        };
        let held = Held::new(holder, &self.request, grant.token, since, renews);
        keeper::start(&held);
        held
    }

    fn failed(&mut self, effect: Effect) {
        self.settled = true;
        if effect == Effect::Unknown && !self.holder.has(FacadeBug::UnknownAcquireStays) {
            self.clean_up();
        }
    }

    fn clean_up(&self) {
        let (holder, key, id) = (&self.holder, self.request.key().clone(), self.request.id());
        if !holder.has(FacadeBug::CleanUpOvertakes) {
            return holder.give_up(key, id);
        }
        let holder = holder.clone();
        holder.runtime.clone().spawn(Box::pin(async move {
            let there = holder.backend.extend(&key, id, Ttl::MIN).await;
            if !matches!(there, Ok(Extension::Lost)) {
                let _best_effort = holder.backend.release(&key, id).await;
            }
        }));
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.settled && !self.holder.has(FacadeBug::DroppedAcquireStays) {
            self.clean_up();
        }
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder").field("bug", &self.bug).finish_non_exhaustive()
    }
}
