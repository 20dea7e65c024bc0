//! One key: its leases, its queue, its tokens.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use leasehold::{AcquireRequest, FencingToken, Grant, Holder, LeaseId, Mode, Timestamp, Ttl};

use crate::broken::bug::Bug;

#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) id: LeaseId,
    pub(super) mode: Mode,
    pub(super) permits: u32,
    pub(super) holder: Holder,
    pub(super) token: u64,
    pub(super) ttl: Ttl,
    pub(super) granted_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) held_until: Timestamp,
    pub(super) released: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) request: AcquireRequest,
    pub(super) since: Timestamp,
    pub(super) deadline: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    bug: Option<Bug>,
    pub(super) last: u64,
    pub(super) leases: Vec<Lease>,
    pub(super) queue: VecDeque<Waiter>,
    /// Ids that are never granted again.
    pub(super) dead: BTreeSet<LeaseId>,
    /// The lease that ended last by itself.
    pub(super) ended: Option<Lease>,
    /// Permits that are counted for nobody.
    pub(super) leaked: u32,
    pub(super) released_at: Option<Timestamp>,
    /// The leases before the last change.
    pub(super) before: Vec<Lease>,
}

impl Key {
    pub(super) fn new(bug: Option<Bug>) -> Self {
        Self { bug, ..Self::default() }
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn is_live(&self, lease: &Lease, now: Timestamp) -> bool {
        if self.has(Bug::NeverExpires) && !lease.released {
            return true;
        }
        now < lease.ends_at || (self.has(Bug::LiveAtItsEnd) && now == lease.ends_at)
    }

    pub(super) fn expire(&mut self, now: Timestamp) {
        let leases = std::mem::take(&mut self.leases);
        for lease in leases {
            if self.is_live(&lease, now) {
                self.leases.push(lease);
                continue;
            }
            let limited = matches!(lease.mode, Mode::Shared { limit } if limit.get().is_some());
            if self.has(Bug::ExpiredPermitStaysTaken) && limited && !lease.released {
                self.leaked += lease.permits;
            }
            self.ended = Some(lease);
        }
    }

    /// Whether two ids are the same.
    fn same(&self, one: LeaseId, other: LeaseId) -> bool {
        const PREFIX: usize = 12;
        if self.has(Bug::IdComparedByPrefix) {
            return one.expose_bytes()[..PREFIX] == other.expose_bytes()[..PREFIX];
        }
        one == other
    }

    pub(super) fn find(&self, id: LeaseId) -> Option<&Lease> {
        self.leases.iter().find(|lease| self.same(lease.id, id))
    }

    /// The place of the lease that this id can use.
    pub(super) fn held_by(&self, id: LeaseId) -> Option<usize> {
        let usable = |lease: &Lease| !lease.released && self.same(lease.id, id);
        self.leases.iter().position(usable)
    }

    /// Whether the request fits beside the live leases.
    pub(super) fn admits(&self, mode: Mode, permits: u32) -> bool {
        let total = |lease: &Lease| {
            if self.has(Bug::LimitCountsLeases) { 1 } else { u64::from(lease.permits) }
        };
        let own = if self.has(Bug::LimitCountsLeases) { 1 } else { u64::from(permits) };
        let taken = self.leases.iter().map(total).sum::<u64>() + own + u64::from(self.leaked);
        let taken = if self.has(Bug::LimitOffByOne) { taken - 1 } else { taken };
        let allows = |mode: Mode| match mode {
            Mode::Exclusive => true,
            Mode::Shared { limit } => limit.allows(taken),
        };
        let others = self.leases.iter().all(|lease| {
            let beside = match (mode.is_exclusive(), lease.mode.is_exclusive()) {
                (false, false) => true,
                (true, false) => self.has(Bug::WriterBesideReaders),
                (false, true) => self.has(Bug::ReaderBesideWriter),
                (true, true) => false,
            };
            beside && (self.has(Bug::LimitOfNewcomerDecides) || allows(lease.mode))
        });
        others && allows(mode)
    }

    /// Whether a finite limit in use is not that of the request.
    pub(super) fn limit_differs(&self, mode: Mode) -> bool {
        let finite = |mode: Mode| match mode {
            Mode::Shared { limit } => limit.get(),
            Mode::Exclusive => None,
        };
        let Some(limit) = finite(mode) else { return false };
        let leases = self.leases.iter().map(|lease| lease.mode);
        let waiters = self.queue.iter().map(|waiter| waiter.request.mode());
        !self.has(Bug::LimitOfNewcomerDecides)
            && leases.chain(waiters).filter_map(finite).any(|other| other != limit)
    }

    pub(super) fn mint(&self, now: Timestamp) -> u64 {
        let after_expiry =
            self.ended.as_ref().is_some_and(|ended| ended.token == self.last && !ended.released);
        if self.has(Bug::TokenStartsAnew) && self.leases.is_empty() {
            return 1;
        }
        if self.has(Bug::TokenKeptOverExpiry) && after_expiry {
            return self.last;
        }
        if self.has(Bug::TokenFromClock) {
            return now.as_nanos() / 1_000_000 + 1;
        }
        if self.has(Bug::TokenSharedByReaders)
            && let Some(first) = self.leases.first()
        {
            return first.token;
        }
        self.last + 1
    }

    /// Makes the request a lease; `from` is when its ttl begins.
    pub(super) fn grant(
        &mut self,
        now: Timestamp,
        from: Timestamp,
        request: &AcquireRequest,
        token: u64,
    ) -> Grant {
        self.before = self.leases.clone();
        self.last = token;
        let lease = Lease {
            id: request.id(),
            mode: request.mode(),
            permits: request.permits(),
            holder: request.holder().clone(),
            token,
            ttl: request.ttl(),
            granted_at: now,
            ends_at: from + self.lasting(request.ttl()),
            held_until: now + request.min_hold().unwrap_or_default(),
            released: false,
        };
        let grant = lease.grant();
        self.leases.push(lease);
        grant
    }

    /// For how long a lease of this ttl is kept.
    fn lasting(&self, ttl: Ttl) -> Duration {
        let ttl = ttl.get();
        match self.bug {
            Some(Bug::LeaseEndsEarly) => ttl * 9 / 10,
            Some(Bug::TtlInWrongUnit) => ttl / 1_000,
            Some(Bug::TtlRoundedDown) => Duration::from_secs(ttl.as_secs()),
            Some(Bug::TtlRoundedUp) => {
                Duration::from_secs(ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0))
            }
            _ => ttl,
        }
    }

    /// Grants the compatible prefix of the queue.
    pub(super) fn grant_waiters(&mut self, now: Timestamp) -> Vec<(LeaseId, Grant)> {
        let mut granted = Vec::new();
        while let Some(next) = self.next_waiter() {
            let Some(waiter) = self.queue.remove(next) else { break };
            if waiter.deadline < now && !self.has(Bug::TimedOutWaiterIsGranted) {
                self.dead.insert(waiter.request.id());
                continue;
            }
            let from = if self.has(Bug::TtlCountsFromEnqueue) { waiter.since } else { now };
            let token = self.mint(now);
            let grant = self.grant(now, from, &waiter.request, token);
            granted.push((waiter.request.id(), grant));
        }
        granted
    }

    /// The place in the queue of who is granted next, if anybody.
    fn next_waiter(&self) -> Option<usize> {
        let fits = |place: &usize| {
            let request = &self.queue[*place].request;
            self.admits(request.mode(), request.permits())
        };
        let mut places = 0..self.queue.len();
        if self.has(Bug::OneOfPrefixGranted) && !self.leases.is_empty() {
            return None;
        }
        if self.has(Bug::HeadIsOvertaken) {
            return places.find(fits);
        }
        if self.has(Bug::LastComeFirstServed) {
            return places.next_back().filter(fits);
        }
        if self.has(Bug::ReadersStarveWriters) && !self.leases.is_empty() {
            return places.find(fits);
        }
        places.next().filter(fits)
    }

    pub(super) fn bury(&mut self, id: LeaseId) {
        if !self.has(Bug::TombstoneMissing) {
            self.dead.insert(id);
        }
    }
}

impl Lease {
    pub(super) fn grant(&self) -> Grant {
        let token = FencingToken::new(self.token).unwrap_or(FIRST);
        Grant { token, ttl: self.ttl, since: self.granted_at }
    }
}

pub(super) const FIRST: FencingToken = match FencingToken::new(1) {
    Some(token) => token,
    None => panic!("1 is not 0"),
};
