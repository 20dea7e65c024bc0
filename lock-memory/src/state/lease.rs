//! The live leases of a key.

use std::time::Duration;

use leasehold::{AcquireRequest, FencingToken, Grant, Holder, LeaseId, Mode, Timestamp, Ttl};
use smallvec::SmallVec;

/// What a request wants of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) id: LeaseId,
    pub(super) mode: Mode,
    pub(super) permits: u32,
    pub(super) ttl: Ttl,
    pub(super) min_hold: Option<Duration>,
    pub(super) holder: Holder,
}

impl Claim {
    pub(super) fn of(request: &AcquireRequest) -> Self {
        Self {
            id: request.id(),
            mode: request.mode(),
            permits: request.permits(),
            ttl: request.ttl(),
            min_hold: request.min_hold(),
            holder: request.holder().clone(),
        }
    }

    /// Whether the request is this claim again. A repeated call may differ in its ttl only.
    pub(super) fn same_terms(&self, request: &AcquireRequest) -> bool {
        self.mode == request.mode() && self.permits == request.permits()
    }

    pub(super) fn finite_limit(&self) -> Option<u32> {
        finite_limit(self.mode)
    }
}

/// The limit of a mode that has one.
pub(super) fn finite_limit(mode: Mode) -> Option<u32> {
    match mode {
        Mode::Exclusive => None,
        Mode::Shared { limit } => limit.get(),
    }
}

/// A lease, live in `[granted_at, ends_at)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) claim: Claim,
    pub(super) token: FencingToken,
    pub(super) granted_at: Timestamp,
    pub(super) ends_at: Timestamp,
    /// Given back under a minimum hold: it only runs out.
    pub(super) released: bool,
}

impl Lease {
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        now < self.ends_at
    }

    /// Makes it end no earlier than `ttl` from now.
    pub(super) fn extend(&mut self, now: Timestamp, ttl: Ttl) {
        self.ends_at = self.ends_at.max(now + ttl.get());
    }

    /// What its holder was granted.
    pub(super) fn grant(&self) -> Grant {
        Grant { token: self.token, ttl: self.claim.ttl, since: self.granted_at }
    }
}

/// The leases of a key in grant order, which is token order.
///
/// Most keys have one at a time, which takes no room of its own. Some may have run out: whoever reads says `now`, whoever changes the key [`purge`](Self::purge)s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Leases(SmallVec<[Lease; 1]>);

impl Leases {
    pub(super) fn live(&self, now: Timestamp) -> impl Iterator<Item = &Lease> {
        self.0.iter().filter(move |lease| lease.is_live(now))
    }

    pub(super) fn find(&self, now: Timestamp, id: LeaseId) -> Option<&Lease> {
        self.live(now).find(|lease| lease.claim.id == id)
    }

    /// The live lease that this id still holds: one released under a minimum hold is nobody's.
    pub(super) fn held_by(&mut self, now: Timestamp, id: LeaseId) -> Option<&mut Lease> {
        self.0
            .iter_mut()
            .find(|lease| lease.claim.id == id && lease.is_live(now) && !lease.released)
    }

    /// Whether `permits` more in this mode are compatible with what is live.
    pub(super) fn admit(&self, now: Timestamp, mode: Mode, permits: u32) -> bool {
        let mut total = u64::from(permits);
        for lease in self.live(now) {
            if mode.is_exclusive() || lease.claim.mode.is_exclusive() {
                return false;
            }
            total += u64::from(lease.claim.permits);
        }
        let allowed = |mode: Mode| match mode {
            Mode::Exclusive => true,
            Mode::Shared { limit } => limit.allows(total),
        };
        allowed(mode) && self.live(now).all(|lease| allowed(lease.claim.mode))
    }

    pub(super) fn purge(&mut self, now: Timestamp) {
        self.0.retain(|lease| lease.is_live(now));
    }

    pub(super) fn push(&mut self, lease: Lease) {
        self.0.push(lease);
    }

    pub(super) fn remove(&mut self, id: LeaseId) {
        self.0.retain(|lease| lease.claim.id != id);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn earliest_end(&self) -> Option<Timestamp> {
        self.0.iter().map(|lease| lease.ends_at).min()
    }

    pub(super) fn latest_end(&self) -> Option<Timestamp> {
        self.0.iter().map(|lease| lease.ends_at).max()
    }
}
