//! Asking for a lease.

use leasehold::{
    AcquireRequest, Effect, Error, ErrorKind, Grant, Held, HeldReason, Holder, LockKey, Result,
    Timestamp, TryAcquire,
};

use super::{Machine, key::Key};
use crate::broken::bug::Bug;

/// What the keys of a request know of its id.
enum Known {
    /// It holds all of them.
    Live,
    /// It can't be granted, but may be asked again.
    Refused(HeldReason),
    /// Nothing: it is granted if it fits.
    New,
}

impl Machine {
    /// Tries once.
    pub(in crate::broken) fn try_acquire(
        &mut self,
        now: Timestamp,
        request: &AcquireRequest,
    ) -> Result<TryAcquire> {
        self.settle(now);
        if self.has(Bug::ClientClockDecides) {
            self.expire_ahead(now, request);
        }
        let outcome = match self.look_up(request)? {
            Known::Live if self.has(Bug::RepeatIsHeld) => self.held(HeldReason::Lease, request),
            Known::Live => TryAcquire::Granted(self.repeat(now, request)),
            Known::Refused(reason) => self.held(reason, request),
            Known::New => match self.in_the_way(now, request) {
                None => TryAcquire::Granted(self.grant(now, request)),
                Some(reason) => {
                    self.refuse(now, request);
                    self.held(reason, request)
                }
            },
        };
        Ok(outcome)
    }

    /// The refusal, and who holds what was asked for.
    fn held(&mut self, reason: HeldReason, request: &AcquireRequest) -> TryAcquire {
        let named = |key: &LockKey| {
            let leases = self.key(key).leases.iter();
            leases.map(|lease| lease.holder.clone()).collect::<Vec<_>>()
        };
        let holders = request.keys().iter().flat_map(named);
        let holders = holders.filter(|holder| *holder != Holder::anonymous()).collect();
        TryAcquire::Held(Held { holders, ..Held::because(reason) })
    }

    fn look_up(&mut self, request: &AcquireRequest) -> Result<Known> {
        let id = request.id();
        let (mut live, mut released, mut queued) = (0, false, false);
        for key in request.keys() {
            let accepts_modes = self.has(Bug::OtherModeAccepted);
            let revives = self.has(Bug::MinHoldRevived);
            let key = self.key(key);
            if let Some(lease) = key.leases.iter_mut().find(|lease| lease.id == id) {
                let same = lease.mode == request.mode() && lease.permits == request.permits();
                if !same && !accepts_modes {
                    return Err(used_before(request));
                }
                lease.released &= !revives;
                released |= lease.released;
            }
            live += usize::from(key.held_by(id).is_some());
            if let Some(waiter) = key.queue.iter().find(|waiter| waiter.request.id() == id) {
                queued = true;
                let asked = &waiter.request;
                if asked.mode() != request.mode() || asked.permits() != request.permits() {
                    return Err(used_before(request));
                }
            }
            if !released && live == 0 && key.dead.contains(&id) {
                return Err(used_before(request));
            }
            if live == 0 && !released && key.limit_differs(request.mode()) {
                let message = "another limit is in use";
                return Err(Error::new(ErrorKind::LimitMismatch, Effect::None, message));
            }
        }
        match live {
            _ if released => Ok(Known::Refused(HeldReason::Lease)),
            0 if queued => Ok(Known::Refused(HeldReason::Lease)),
            0 => Ok(Known::New),
            live if live == request.keys().len() => Ok(Known::Live),
            _ => Err(used_before(request)),
        }
    }

    /// What stands in the way of a new request.
    fn in_the_way(&mut self, now: Timestamp, request: &AcquireRequest) -> Option<HeldReason> {
        let count = if self.has(Bug::OnlyFirstKeyChecked) { 1 } else { request.keys().len() };
        request.keys()[..count].iter().find_map(|key| self.key(key).in_the_way(now, request))
    }

    /// Grants a request that fits, on all of its keys, under one token.
    pub(in crate::broken) fn grant(&mut self, now: Timestamp, request: &AcquireRequest) -> Grant {
        let mut token = 0;
        for key in request.keys() {
            token = token.max(self.key(key).mint(now));
            if self.has(Bug::TokenOfFirstKeyOnly) {
                break;
            }
        }
        self.grant_with(now, request, token)
    }

    fn grant_with(&mut self, now: Timestamp, request: &AcquireRequest, token: u64) -> Grant {
        let mut grant = self.key(request.key()).grant(now, now, request, token);
        for key in &request.keys()[1..] {
            grant = self.key(key).grant(now, now, request, token);
        }
        grant
    }

    /// Answers a repeated request with its live lease, refreshed.
    fn repeat(&mut self, now: Timestamp, request: &AcquireRequest) -> Grant {
        let mut grant = Grant { token: super::key::FIRST, ttl: request.ttl(), since: now };
        for key in request.keys() {
            grant.token = self.key(key).repeat(now, request).unwrap_or(grant.token);
        }
        grant
    }

    fn refuse(&mut self, now: Timestamp, request: &AcquireRequest) {
        if self.has(Bug::RefusedTryTakesKeyLater) {
            self.refused.push(request.clone());
        }
        if self.has(Bug::PartialGrantStays) {
            for key in request.keys() {
                let key = self.key(key);
                if key.in_the_way(now, request).is_none() {
                    let token = key.mint(now);
                    key.grant(now, now, request, token);
                }
            }
        }
    }

    /// Some clients' clocks are ahead, and say that a lease has ended.
    fn expire_ahead(&mut self, now: Timestamp, request: &AcquireRequest) {
        const AHEAD: std::time::Duration = std::time::Duration::from_millis(6);
        if request.id().expose_bytes()[11] % 2 == 1 {
            self.key(request.key()).expire(now + AHEAD);
        }
    }

    /// Whether the request could be granted now: the look of a backend that looks first and takes later.
    pub(in crate::broken) fn is_free(&mut self, now: Timestamp, request: &AcquireRequest) -> bool {
        self.settle(now);
        matches!(self.look_up(request), Ok(Known::New)) && self.in_the_way(now, request).is_none()
    }

    /// Takes the ttl off a lease that was just granted, or gives it one.
    pub(in crate::broken) fn set_end(&mut self, request: &AcquireRequest, end: Timestamp) {
        for key in request.keys() {
            let leases = self.key(key).leases.iter_mut();
            leases.filter(|lease| lease.id == request.id()).for_each(|lease| lease.ends_at = end);
        }
    }

    /// Counts permits for nobody, or no longer.
    pub(in crate::broken) fn count_permits(&mut self, key: &LockKey, change: i32) {
        let key = self.key(key);
        key.leaked = key.leaked.saturating_add_signed(change);
    }
}

impl Key {
    fn in_the_way(&self, now: Timestamp, request: &AcquireRequest) -> Option<HeldReason> {
        let readers = !request.mode().is_exclusive() && !self.leases.is_empty();
        let overtakes =
            self.has(Bug::NewcomerBarges) || (self.has(Bug::ReadersStarveWriters) && readers);
        let ahead = !self.queue.is_empty() && !overtakes;
        if ahead && !self.has(Bug::HeldAlwaysForLease) {
            return Some(HeldReason::Queue);
        }
        let cooling = self.has(Bug::HeldAfterRelease)
            && self.released_at.is_some_and(|at| now.since(at).as_millis() < 2);
        let taken = !self.admits(request.mode(), request.permits());
        (ahead || taken || cooling).then_some(HeldReason::Lease)
    }

    fn repeat(
        &mut self,
        now: Timestamp,
        request: &AcquireRequest,
    ) -> Option<leasehold::FencingToken> {
        let place = self.held_by(request.id())?;
        let end = now + request.ttl().get();
        if self.has(Bug::RepeatGetsNewToken) {
            self.last += 1;
            self.leases[place].token = self.last;
        }
        let shortens = self.has(Bug::RepeatShortens);
        let stays = self.has(Bug::RepeatDoesNotRefresh);
        let lease = &mut self.leases[place];
        if shortens || (end > lease.ends_at && !stays) {
            lease.ends_at = end;
        }
        Some(lease.grant().token)
    }
}

fn used_before(request: &AcquireRequest) -> Error {
    let message = "the id was used before";
    Error::new(ErrorKind::IdReused, Effect::None, message).with_key(request.key())
}
