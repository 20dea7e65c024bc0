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
    /// Gone while it is asked, and once its client has crashed.
    probe: Option<Probe>,
    /// Whether its client said that it does not believe in it any more: it may change its mind when it hears something.
    ended: bool,
}

impl Claims {
    /// The claims that have ended of a client that hears something: it may believe again once it has.
    pub(super) fn take_resting(&mut self, client: u32) -> Vec<usize> {
        let resting = |claim: &mut Claim| {
            claim.client == client && std::mem::take(&mut claim.ended) && claim.probe.is_some()
        };
        let claims = self.all.iter_mut().enumerate();
        claims.filter_map(|(number, claim)| resting(claim).then_some(number)).collect()
    }

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
        probe: Probe,
    ) {
        let now = self.now();
        // Who comes back from a pause may claim what it does not believe in any more.
        if self.believes((client, life), &probe) {
            self.look_for_another(client, &key, token);
        }
        let mut state = self.state();
        let number = state.claims.all.len();
        state.claims.all.push(Claim { client, life, key, token, probe: Some(probe), ended: false });
        state.events.put(now, Event::Claim(number));
    }

    /// Whether somebody else believes to hold this key now, though nothing excuses it.
    fn look_for_another(&self, client: u32, key: &LockKey, token: FencingToken) {
        let mut state = self.state();
        let mut others = Vec::new();
        for (number, claim) in state.claims.all.iter_mut().enumerate() {
            if claim.key == *key
                && claim.token != token
                && let Some(probe) = claim.probe.take()
            {
                others.push((number, claim.client, claim.life, claim.token, probe));
            }
        }
        for (number, other, life, old, probe) in others {
            drop(state);
            let believes = self.believes((other, life), &probe);
            let excused = self.was_taken_away(key, old);
            state = self.state();
            if believes && !excused {
                state.findings.push(Finding::TwoHolders {
                    key: key.to_string(),
                    clients: (other, client),
                    tokens: (old.get(), token.get()),
                    at_ns: self.now().as_nanos(),
                });
            }
            if let Some(claim) = state.claims.all.get_mut(number) {
                claim.probe = Some(probe);
            }
        }
    }

    /// Whether this life of the client goes on, and says that it holds the lease now.
    fn believes(&self, (client, life): (u32, u32), probe: &Probe) -> bool {
        let mut state = self.state();
        let link = state.link(client).filter(|link| link.up && link.life == life);
        let clock = link.map(|link| link.clock.clone());
        drop(state);
        clock.is_some_and(|clock| probe().is_some_and(|until| clock.now() < until))
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
        if !lives {
            return;
        }
        let until = probe().filter(|until| clock.now() < *until);
        let Some(until) = until else { return self.rest(number, probe) };
        // Also before the end: whoever is prolonged over and over never comes to it.
        if !has(&key, token) && !self.is_excused(&key, token) {
            let (key, token, at_ns) = (key.to_string(), token.get(), now.as_nanos());
            self.state().findings.push(Finding::NotHeld { client, key, token, at_ns });
            return;
        }
        // The last instant at which it is believed.
        let last = until.before(Duration::from_nanos(1));
        if clock.now() < last {
            return self.look_again(number, probe, clock.truth_of(last).max(now));
        }
        // An extension may still come in this very moment.
        let next = clock.truth_of(until).max(now + Duration::from_nanos(1));
        self.look_again(number, probe, next);
    }

    fn rest(&self, number: usize, probe: Probe) {
        if let Some(claim) = self.state().claims.all.get_mut(number) {
            (claim.probe, claim.ended) = (Some(probe), true);
        }
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

    /// Whether this grant may have come to an end that no clock of a client can tell.
    fn is_excused(&self, key: &LockKey, token: FencingToken) -> bool {
        let last = self.state().host.last_data_loss;
        self.was_taken_away(key, token) || self.was_granted_before(key, token, last)
    }

    /// Whether it may have been given to somebody else since: revoked, outrun by a server's clock that was set, or lost by
    /// a server that does not wait until lost leases are over.
    fn was_taken_away(&self, key: &LockKey, token: FencingToken) -> bool {
        let state = self.state();
        let (step, loss) = (state.host.last_step, state.host.last_data_loss);
        let revoked = state.claims.revoked.get(key).copied();
        drop(state);
        let settings = &self.settings;
        let waits = settings.quarantine() >= settings.ttl;
        let last = step.max(revoked).max(loss.filter(|_| !waits));
        self.was_granted_before(key, token, last)
    }

    /// A grant that nobody knows of counts as granted long ago.
    fn was_granted_before(
        &self,
        key: &LockKey,
        token: FencingToken,
        at: Option<Timestamp>,
    ) -> bool {
        let state = self.state();
        let note = state.grants.get(&(key.clone(), token));
        note.is_none_or(|note| at.is_some_and(|at| note.asked <= at))
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, key, token, .. } = self;
        write!(f, "client {client} claims {key} by {token}")
    }
}
