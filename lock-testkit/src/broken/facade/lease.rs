//! A lease that is held, and until when that may be believed.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use leasehold::{AcquireRequest, Error, FencingToken, LeaseId, LockKey, Release, Timestamp};

use super::{FacadeBug, Holder};

/// The guard of a lease. Dropped, it releases in the background.
pub struct Held {
    pub(super) lease: Arc<Lease>,
    released: bool,
}

/// What the guard and its keeper share.
pub(super) struct Lease {
    pub(super) holder: Holder,
    pub(super) request: AcquireRequest,
    pub(super) token: FencingToken,
    /// Whether it is kept alive.
    pub(super) renews: bool,
    belief: Mutex<Belief>,
}

#[derive(Clone, Copy, Debug)]
struct Belief {
    until: Timestamp,
    /// The same instant on the wall clock.
    wall: Timestamp,
    /// Whether it was lost, or given back.
    over: bool,
}

impl Held {
    pub(super) fn new(
        holder: &Holder,
        request: &AcquireRequest,
        token: FencingToken,
        since: Timestamp,
        renews: bool,
    ) -> Self {
        let nothing = Belief { until: Timestamp::ORIGIN, wall: Timestamp::ORIGIN, over: false };
        let lease = Lease {
            holder: holder.clone(),
            request: request.clone(),
            token,
            renews,
            belief: Mutex::new(nothing),
        };
        lease.prolong(since);
        Self { lease: Arc::new(lease), released: false }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &LockKey {
        self.lease.key()
    }

    /// The fencing token.
    #[must_use]
    pub fn token(&self) -> FencingToken {
        self.lease.token
    }

    /// Whether it may be believed in now.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.lease.believed_until().is_some()
    }

    /// Says until when it is believed in, whenever asked, and whatever became of the guard.
    pub fn belief(&self) -> impl Fn() -> Option<Timestamp> + Send + 'static {
        let lease = Arc::clone(&self.lease);
        move || lease.believed_until()
    }

    /// Gives it back, and waits for the answer.
    ///
    /// # Errors
    /// Those of the backend; then it ends with its ttl.
    pub async fn release(mut self) -> Result<Release, Error> {
        self.released = true;
        let lease = Arc::clone(&self.lease);
        if !lease.holder.has(FacadeBug::BelievesUntilReleaseAnswered) {
            lease.end();
        }
        let answer = lease.holder.backend.release(lease.key(), lease.id()).await;
        lease.end();
        answer
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (lease, holder) = (&self.lease, &self.lease.holder);
        if self.released || holder.has(FacadeBug::RenewsAfterDrop) && lease.renews {
            return;
        }
        lease.end();
        if !holder.has(FacadeBug::DroppedLeaseStays) {
            holder.give_up(lease.key().clone(), lease.id());
        }
    }
}

impl Lease {
    pub(super) fn key(&self) -> &LockKey {
        self.request.key()
    }

    pub(super) const fn id(&self) -> LeaseId {
        self.request.id()
    }

    /// It lasts for a whole ttl from this instant on.
    pub(super) fn prolong(&self, since: Timestamp) {
        let validity = self.holder.validity();
        let until = since + validity;
        let left = until.since(self.holder.runtime.now());
        let mut belief = self.belief();
        belief.until = belief.until.max(until);
        belief.wall = belief.wall.max(self.holder.wall.now() + left);
    }

    /// It is over: it was lost, or is given back.
    pub(super) fn end(&self) {
        self.belief().over = true;
    }

    /// The last instant at which it is believed in, exclusive, on the monotonic clock; `None` when it is not.
    pub(super) fn believed_until(&self) -> Option<Timestamp> {
        let (holder, belief) = (&self.holder, *self.belief());
        let now = holder.runtime.now();
        let until = if holder.has(FacadeBug::DeadlineOnWallClock) {
            now + belief.wall.since(holder.wall.now())
        } else if self.waits_to_be_told() {
            belief.until.max(next_tick(now))
        } else {
            belief.until
        };
        (!belief.over && now < until).then_some(until)
    }

    /// Whether it is valid until somebody says otherwise.
    fn waits_to_be_told(&self) -> bool {
        let by_renewal = self.holder.has(FacadeBug::LossToldByRenewalOnly) && self.renews;
        by_renewal || self.holder.has(FacadeBug::ValidityByTimer)
    }

    /// When its keeper looks at it: a timer tells what a flag does not know.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        if self.holder.has(FacadeBug::ValidityByTimer) {
            let belief = *self.belief();
            let now = self.holder.runtime.now();
            return (!belief.over && now < belief.until).then_some(belief.until);
        }
        self.believed_until()
    }

    fn belief(&self) -> MutexGuard<'_, Belief> {
        self.belief.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever believes for ever can be asked only now and then.
fn next_tick(now: Timestamp) -> Timestamp {
    const TICK: Duration = Duration::from_millis(20);
    let tick = u64::try_from(TICK.as_nanos()).unwrap_or(1);
    Timestamp::from_nanos((now.as_nanos() / tick + 1).saturating_mul(tick))
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("token", &self.token()).finish_non_exhaustive()
    }
}
