//! Claims: what clients believe to hold, held against what the server knows.

use std::{collections::BTreeMap, fmt, time::Duration};

use leasehold::{Clock as _, FencingToken, LockKey, Timestamp};

use super::{
    outcome::Finding,
    world::{Event, World},
};

/// Everything that clients claim to hold.
#[derive(Debug, Default)]
pub(super) struct Claims {
    all: Vec<Claim>,
    /// When a key was revoked last.
    pub(super) revoked: BTreeMap<LockKey, Timestamp>,
}

/// Until when the client's own clock lets it believe; `None` when it does not any more.
pub(super) type Probe = Box<dyn Fn() -> Option<Timestamp> + Send>;

pub(super) struct Claim {
    client: u32,
    life: u32,
    key: LockKey,
    token: FencingToken,
    exclusive: bool,
    from: Timestamp,
    /// When it ended, once it has.
    until: Option<Timestamp>,
    probe: Option<Probe>,
}

impl Claims {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

impl World {
    /// A client says to hold a key: from now on its probe is asked in the last moment at which it says so.
    pub(super) fn claim(
        &self,
        (client, life): (u32, u32),
        key: LockKey,
        token: FencingToken,
        exclusive: bool,
        probe: Probe,
    ) {
        let now = self.now();
        let mut state = self.state();
        let (from, until, probe) = (now, None, Some(probe));
        let claim = Claim { client, life, key, token, exclusive, from, until, probe };
        let number = state.claims.len();
        state.claims.all.push(claim);
        state.events.put(now, Event::Claim(number));
    }

    /// Looks at a claim: `has` says what the server knows.
    pub(super) fn look_at_claim(
        &self,
        number: usize,
        has: impl FnOnce(&LockKey, FencingToken) -> bool,
    ) {
        let mut state = self.state();
        let Some(claim) = state.claims.all.get_mut(number) else { return };
        let Some(probe) = claim.probe.take() else { return };
        let (client, life) = (claim.client, claim.life);
        let (key, token) = (claim.key.clone(), claim.token);
        let Some(link) = state.link(client) else { return };
        let lives = link.up && link.life == life;
        let clock = link.clock.clone();
        drop(state);
        let now = self.now();
        let until = if lives { probe() } else { None };
        let until = until.filter(|until| clock.now() < *until);
        let Some(until) = until else { return self.end_claim(number, now) };
        // The last instant at which it is believed.
        let last = until.before(Duration::from_nanos(1));
        if clock.now() < last {
            return self.look_again(number, probe, clock.truth_of(last).max(now));
        }
        if !has(&key, token) && !self.is_excused(&key, token) {
            let (key, token, at_ns) = (key.to_string(), token.get(), now.as_nanos());
            self.state().findings.push(Finding::NotHeld { client, key, token, at_ns });
        }
        // An extension may still come in this very moment.
        let next = clock.truth_of(until).max(now + Duration::from_nanos(1));
        self.look_again(number, probe, next);
    }

    fn look_again(&self, number: usize, probe: Probe, at: Timestamp) {
        let mut state = self.state();
        if let Some(claim) = state.claims.all.get_mut(number) {
            claim.probe = Some(probe);
        }
        state.events.put(at, Event::Claim(number));
    }

    /// Forgets the probes, which may hold on to anything.
    pub(super) fn forget_claims(&self) {
        let mut state = self.state();
        let probes: Vec<_> = state.claims.all.iter_mut().map(|claim| claim.probe.take()).collect();
        drop(state);
        drop(probes);
    }

    fn end_claim(&self, number: usize, now: Timestamp) {
        let mut state = self.state();
        if let Some(claim) = state.claims.all.get_mut(number) {
            claim.until = claim.until.or(Some(now));
        }
    }

    /// Two clients that both claimed a key alone at one time, though nothing excuses it.
    pub(super) fn overlapping_claims(&self) -> Option<Finding> {
        let now = self.now();
        let state = self.state();
        let mut alone: BTreeMap<&LockKey, Vec<&Claim>> = BTreeMap::new();
        for claim in state.claims.all.iter().filter(|claim| claim.exclusive) {
            alone.entry(&claim.key).or_default().push(claim);
        }
        for (key, mut claims) in alone {
            claims.sort_by_key(|claim| claim.from);
            for pair in claims.windows(2) {
                let [one, other] = pair else { continue };
                let until = one.until.unwrap_or(now);
                let apart = one.token == other.token || until <= other.from;
                let revoked = state.claims.revoked.get(key).copied();
                let loss = state.host.last_loss;
                let excused = [revoked, loss].into_iter().flatten().any(|at| at >= one.from);
                if !apart && !excused {
                    return Some(Finding::TwoHolders {
                        key: key.to_string(),
                        clients: (one.client, other.client),
                        tokens: (one.token.get(), other.token.get()),
                        at_ns: other.from.as_nanos(),
                    });
                }
            }
        }
        None
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, key, token, .. } = self;
        write!(f, "client {client} claims {key} by {token}")
    }
}
