//! The pure state machine of one lease as its holder sees it: it reads no clock and sends nothing.

use std::{fmt, time::Duration};

use crate::{DriftAllowance, FencingToken, Grant, Timestamp, Ttl};

/// Why a lease ended before it was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// It ran out on the holder's own clock: nothing certain extended it in time.
    Expired,
    /// The backend said that it is over.
    Refused,
    /// An administrator revoked it.
    Revoked,
    /// The locker was shut down and its time was up.
    Shutdown,
}

impl Loss {
    /// A short name, fit for a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the lease ran out",
            Self::Refused => "the backend says that the lease is over",
            Self::Revoked => "the lease was revoked",
            Self::Shutdown => "the locker was shut down",
        })
    }
}

/// How a lease's life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Released,
    Lost(Loss),
}

/// Renewals due within this long go together: it is the tick, not the queue, that makes keeping
/// 100,000 leases cheap.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// What was agreed when the lease was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) ttl: Ttl,
    pub(crate) drift: DriftAllowance,
    /// How long before its end the lease is said to be expiring.
    pub(crate) expiring_before: Duration,
    pub(crate) keep_alive: Option<KeepAlive>,
}

/// How a lease is renewed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeepAlive {
    /// From a grant or a renewal to the next try.
    pub(crate) interval: Duration,
    /// From a failed try to the next.
    pub(crate) retry: Duration,
    /// How long one try may take.
    pub(crate) timeout: Duration,
    /// From the grant until it is renewed no more.
    pub(crate) max_lifetime: Option<Duration>,
}

/// One lease's life.
#[derive(Debug)]
pub(crate) struct Life {
    terms: Terms,
    phase: Phase,
    /// What is known by answers to what was sent before this ends so much sooner.
    stepped: Option<(Timestamp, Duration)>,
}

#[derive(Debug)]
enum Phase {
    /// Asked for; nothing is known yet.
    Registered,
    Held(Holding),
    Ended(End),
}

#[derive(Debug)]
struct Holding {
    token: FencingToken,
    valid_until: Timestamp,
    /// When that was sent which `valid_until` is known by.
    since: Timestamp,
    warned: bool,
    renewal: Option<Renewing>,
}

#[derive(Debug)]
struct Renewing {
    next: Timestamp,
    in_flight: bool,
    until: Timestamp,
}

/// What time has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) renew: bool,
    pub(crate) expiring: bool,
    pub(crate) lost: bool,
}

impl Life {
    pub(crate) const fn new(terms: Terms) -> Self {
        Self { terms, phase: Phase::Registered, stepped: None }
    }

    pub(crate) const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The lease was granted. `early` is a share of the first interval, so that leases granted together are not
    /// renewed together.
    pub(crate) fn granted(&mut self, grant: &Grant, early: f64) {
        if !matches!(self.phase, Phase::Registered) {
            return;
        }
        let renewal = self.terms.keep_alive.map(|keep_alive| Renewing {
            next: grant.since + keep_alive.interval.mul_f64(1.0 - early),
            in_flight: false,
            until: keep_alive.max_lifetime.map_or(Timestamp::MAX, |life| grant.since + life),
        });
        self.phase = Phase::Held(Holding {
            token: grant.token,
            valid_until: self.certain_end(grant.since, grant.ttl),
            since: grant.since,
            warned: false,
            renewal,
        });
    }

    /// The backend confirmed an extension by `ttl` that was sent at `since`. It never shortens.
    pub(crate) fn extended(&mut self, since: Timestamp, ttl: Ttl) {
        let valid_until = self.certain_end(since, ttl);
        if let Phase::Held(holding) = &mut self.phase {
            if valid_until > holding.valid_until {
                (holding.valid_until, holding.since) = (valid_until, since);
            }
            holding.warned = false;
        }
    }

    /// The backend's clock stepped forward by so much, as the answer to something sent at `seen` showed.
    pub(crate) fn clock_stepped(&mut self, by: Duration, seen: Timestamp) {
        let before = self.stepped.map_or(Duration::ZERO, |(_, before)| before);
        self.stepped = Some((seen, before.saturating_add(by)));
        if let Phase::Held(holding) = &mut self.phase
            && holding.since < seen
        {
            holding.valid_until = holding.valid_until.before(by);
        }
    }

    fn certain_end(&self, since: Timestamp, ttl: Ttl) -> Timestamp {
        let end = self.terms.drift.valid_until(since, ttl);
        match self.stepped {
            Some((seen, by)) if since < seen => end.before(by),
            Some(_) | None => end,
        }
    }

    /// The keep-alive's own try succeeded.
    pub(crate) fn renewed(&mut self, since: Timestamp) {
        self.extended(since, self.terms.ttl);
        self.next_try(|keep_alive| since + keep_alive.interval);
    }

    /// The keep-alive's own try failed with its effect unknown: the next one comes soon.
    pub(crate) fn renewal_failed(&mut self, now: Timestamp) {
        self.next_try(|keep_alive| now + keep_alive.retry);
    }

    /// Nobody will answer the renewal that is on its way.
    pub(crate) fn renewal_abandoned(&mut self) {
        if let Phase::Held(Holding { renewal: Some(renewal), .. }) = &mut self.phase {
            renewal.in_flight = false;
        }
    }

    fn next_try(&mut self, at: impl FnOnce(&KeepAlive) -> Timestamp) {
        let Some(keep_alive) = &self.terms.keep_alive else {
            return;
        };
        if let Phase::Held(Holding { renewal: Some(renewal), .. }) = &mut self.phase {
            renewal.in_flight = false;
            renewal.next = at(keep_alive);
        }
    }

    /// The life is over; `false` if it was before.
    pub(crate) fn end(&mut self, end: End) -> bool {
        let first = !matches!(self.phase, Phase::Ended(_));
        if first {
            self.phase = Phase::Ended(end);
        }
        first
    }

    /// Looks at the clock: a lease past its end is lost here and now, whatever anybody else says later.
    /// A renewal may come a little early, so that many go together; the other events are exact.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Due {
        if self.tick_loss(now) {
            return Due { lost: true, ..Due::default() };
        }
        let Terms { expiring_before, keep_alive, .. } = self.terms;
        let Phase::Held(holding) = &mut self.phase else {
            return Due::default();
        };
        let expiring = !holding.warned && now >= holding.valid_until.before(expiring_before);
        holding.warned |= expiring;
        let early = keep_alive.map_or(Duration::ZERO, |keep_alive| keep_alive.interval / 8);
        let renew = holding.renewal.as_mut().is_some_and(|renewal| {
            let due = renewal.next <= now + early.min(TICK) && now < renewal.until;
            let first = due && !renewal.in_flight;
            renewal.in_flight |= due;
            first
        });
        Due { renew, expiring, lost: false }
    }

    /// Ends a lease that is past its end; `true` if this call did.
    pub(crate) fn tick_loss(&mut self, now: Timestamp) -> bool {
        let over = matches!(&self.phase, Phase::Held(holding) if now >= holding.valid_until);
        if over {
            self.phase = Phase::Ended(End::Lost(Loss::Expired));
        }
        over
    }

    /// The next instant at which [`tick`](Self::tick) has something to say.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        let Phase::Held(holding) = &self.phase else {
            return None;
        };
        let mut next = holding.valid_until;
        if !holding.warned {
            next = next.min(holding.valid_until.before(self.terms.expiring_before));
        }
        let renewal = holding.renewal.as_ref();
        if let Some(renewal) = renewal.filter(|it| !it.in_flight && it.next < it.until) {
            next = next.min(renewal.next);
        }
        Some(next)
    }

    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        matches!(&self.phase, Phase::Held(holding) if now < holding.valid_until)
    }

    pub(crate) const fn is_expiring(&self) -> bool {
        match &self.phase {
            Phase::Held(holding) => holding.warned,
            Phase::Registered => false,
            Phase::Ended(_) => true,
        }
    }

    pub(crate) const fn ended(&self) -> Option<End> {
        match self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Registered | Phase::Held(_) => None,
        }
    }

    /// Token and end while it is held.
    pub(crate) const fn held(&self) -> Option<(FencingToken, Timestamp)> {
        match &self.phase {
            Phase::Held(holding) => Some((holding.token, holding.valid_until)),
            Phase::Registered | Phase::Ended(_) => None,
        }
    }
}
