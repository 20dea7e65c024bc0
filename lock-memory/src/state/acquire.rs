//! Asking for a lease.

use leasehold::{AcquireRequest, Grant, Held, HeldReason, Holder, Timestamp, TryAcquire};

use super::{
    Refusal, State, Turn, WakeUp,
    lease::{Claim, finite_limit},
    queue::Waiter,
};

/// How many holders a [`Held`] names.
const NAMED_HOLDERS: usize = 5;

/// What a key knows about a request's id.
pub(super) enum Known {
    /// It holds a live lease on the same terms.
    Live(Grant),
    /// It was released under a minimum hold that still runs.
    Released,
    /// It stands in the queue on the same terms.
    Queued,
    /// Nothing.
    New,
}

impl State {
    /// Tries once, as [`LockBackend::try_acquire`](leasehold::LockBackend::try_acquire) says, for this one key.
    /// An id that waits is judged at its own place.
    pub fn try_acquire(
        &mut self,
        now: Timestamp,
        request: &AcquireRequest,
    ) -> (Result<TryAcquire, Refusal>, Vec<WakeUp>) {
        let known = match self.look_up(now, request) {
            Ok(known) => known,
            Err(refusal) => return (Err(refusal), Vec::new()),
        };
        let mut granted = Vec::new();
        let outcome = match known {
            Known::Live(_) => self.refresh(now, request),
            Known::New if self.is_open(now, request) => Some(self.grant(now, Claim::of(request))),
            Known::Queued if self.is_turn_of(now, request) => {
                granted = self.tick(now);
                self.leases.find(now, request.id()).map(|lease| lease.grant())
            }
            Known::New | Known::Queued | Known::Released => None,
        };
        let outcome = match outcome {
            Some(grant) => TryAcquire::Granted(grant),
            None => TryAcquire::Held(self.held(now, request)),
        };
        (Ok(outcome), granted)
    }

    /// Asks for the lease, and stands in the queue until `deadline` if it can't be had at once. A key that is free
    /// is granted whatever the deadline. Asking again with the same id keeps its place.
    ///
    /// An id released under a minimum hold is refused at once: it could never be granted.
    pub fn acquire(
        &mut self,
        now: Timestamp,
        request: &AcquireRequest,
        deadline: Timestamp,
    ) -> (Result<Turn, Refusal>, Vec<WakeUp>) {
        match self.look_up(now, request) {
            Err(refusal) => return (Err(refusal), Vec::new()),
            Ok(Known::Released) => return (Err(Refusal::IdReused), Vec::new()),
            Ok(Known::Live(_)) => {
                let turn = self.refresh(now, request).map_or(Turn::Waiting, Turn::Granted);
                return (Ok(turn), Vec::new());
            }
            Ok(Known::New) if self.is_open(now, request) => {
                let grant = self.grant(now, Claim::of(request));
                return (Ok(Turn::Granted(grant)), Vec::new());
            }
            Ok(Known::New) => {
                self.queue.push(Waiter { claim: Claim::of(request), since: now, deadline });
            }
            Ok(Known::Queued) => {}
        }
        self.resume(now, request, deadline)
    }

    /// Where a request that [`acquire`](Self::acquire) left waiting stands now. At its deadline it leaves the queue,
    /// unless it has been granted.
    ///
    /// A grant that ran out before anybody asked is queued for once more; an id given up meanwhile is refused.
    pub fn resume(
        &mut self,
        now: Timestamp,
        request: &AcquireRequest,
        deadline: Timestamp,
    ) -> (Result<Turn, Refusal>, Vec<WakeUp>) {
        let mut granted = self.tick(now);
        let id = request.id();
        let turn = match self.look_up(now, request) {
            Ok(Known::Live(grant)) => Ok(Turn::Granted(grant)),
            Ok(Known::Queued) if now < deadline => Ok(Turn::Waiting),
            _ if now >= deadline => {
                let held = self.held(now, request);
                granted.extend(self.leave(now, id));
                Ok(Turn::TimedOut(held))
            }
            Ok(Known::New) => {
                let (turn, more) = self.acquire(now, request, deadline);
                granted.extend(more);
                turn
            }
            Ok(Known::Released | Known::Queued) => Err(Refusal::IdReused),
            Err(refusal) => Err(refusal),
        };
        granted.retain(|wake_up| wake_up.id != id);
        (turn, granted)
    }

    /// What is known about the request's id, or why the request can't be judged.
    pub(super) fn look_up(
        &self,
        now: Timestamp,
        request: &AcquireRequest,
    ) -> Result<Known, Refusal> {
        let id = request.id();
        let lease = self.leases.find(now, id);
        let waiter = self.queue.find(id);
        let claim = lease.map(|lease| &lease.claim).or(waiter.map(|waiter| &waiter.claim));
        if claim.is_some_and(|claim| !claim.same_terms(request)) {
            return Err(Refusal::IdReused);
        }
        match lease {
            Some(lease) if lease.released => Ok(Known::Released),
            Some(lease) => Ok(Known::Live(lease.grant())),
            None if waiter.is_some_and(|waiter| waiter.is_waiting(now)) => Ok(Known::Queued),
            // Its deadline passed: it is given up, though nothing has taken it out of the queue yet.
            None if waiter.is_some() => Err(Refusal::IdReused),
            None if self.tombstones.contain(now, id) => Err(Refusal::IdReused),
            None if self.limit_differs(now, request) => Err(Refusal::LimitMismatch),
            None => Ok(Known::New),
        }
    }

    /// Whether the request is compatible and nobody waits ahead.
    pub(super) fn is_open(&self, now: Timestamp, request: &AcquireRequest) -> bool {
        self.queue.waiting(now).next().is_none()
            && self.leases.admit(now, request.mode(), request.permits())
    }

    /// The live lease of the request's id, refreshed; its token stays.
    pub(super) fn refresh(&mut self, now: Timestamp, request: &AcquireRequest) -> Option<Grant> {
        let lease = self.leases.held_by(now, request.id())?;
        lease.extend(now, request.ttl());
        Some(Grant { token: lease.token, ttl: request.ttl(), since: now })
    }

    /// What stands in the way of the request.
    pub(super) fn held(&self, now: Timestamp, request: &AcquireRequest) -> Held {
        let ahead = self.queue.waiting(now).next();
        let waits = ahead.is_some_and(|waiter| waiter.claim.id != request.id());
        let named = |holder: &&Holder| **holder != Holder::anonymous();
        Held {
            reason: if waits { HeldReason::Queue } else { HeldReason::Lease },
            retry_after: self
                .leases
                .live(now)
                .map(|lease| lease.ends_at)
                .min()
                .map(|end| end.since(now)),
            holders: self
                .leases
                .live(now)
                .map(|lease| &lease.claim.holder)
                .filter(named)
                .take(NAMED_HOLDERS)
                .cloned()
                .collect(),
        }
    }

    /// Whether the waiting request is first in the queue and compatible.
    fn is_turn_of(&self, now: Timestamp, request: &AcquireRequest) -> bool {
        let first = self.queue.waiting(now).next();
        first.is_some_and(|waiter| waiter.claim.id == request.id())
            && self.leases.admit(now, request.mode(), request.permits())
    }

    /// Whether a finite limit in use is not the request's finite limit. All that are in use agree, so one tells.
    fn limit_differs(&self, now: Timestamp, request: &AcquireRequest) -> bool {
        let Some(limit) = finite_limit(request.mode()) else {
            return false;
        };
        let of_leases = self.leases.live(now).map(|lease| &lease.claim);
        let of_waiters = self.queue.waiting(now).map(|waiter| &waiter.claim);
        of_leases
            .chain(of_waiters)
            .find_map(Claim::finite_limit)
            .is_some_and(|in_use| in_use != limit)
    }
}
