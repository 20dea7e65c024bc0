//! Playing a program: each client does its steps.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use leasehold::{
    AcquireRequest, ExtendRequest, LeaseId, Limit, LockBackend, LockKey, Mode, Result, Runtime,
    Ttl, timeout_at,
};

use super::{
    network::mix,
    program::{Action, Ask, LeaseRef, Program, Sharing, Step},
};

/// The keys that the letters of a program stand for.
#[derive(Clone, Debug)]
pub struct Keys(Vec<LockKey>);

impl Keys {
    /// The keys `a` to `h`, each with `prefix` in front.
    ///
    /// # Errors
    /// The prefix can't be part of a key.
    pub fn with_prefix(prefix: &str) -> Result<Self> {
        let key = |letter| LockKey::new(format!("{prefix}{letter}"));
        ('a'..='h').map(key).collect::<Result<_>>().map(Self)
    }

    fn of(&self, bits: u8) -> Vec<LockKey> {
        let chosen = self.0.iter().enumerate().filter(|(key, _)| bits & (1 << key) != 0);
        chosen.map(|(_, key)| key.clone()).collect()
    }

    fn one(&self, key: u8) -> &LockKey {
        &self.0[usize::from(key) % self.0.len()]
    }
}

/// Makes the ids of a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ids {
    /// The same in every run, and the ids of one client differ in their last bytes only: a backend that compares a
    /// part of them is found out.
    Fixed,
    /// Ids that no other run has, random as they are in use.
    Random {
        /// What they are made from.
        salt: u64,
    },
}

impl Ids {
    /// Ids that no other run has.
    pub(super) fn random(runtime: &Runtime) -> Self {
        let mut salt = [0; 8];
        runtime.entropy().fill(&mut salt);
        Self::Random { salt: u64::from_le_bytes(salt) }
    }

    fn id(self, client: usize, number: usize) -> LeaseId {
        let (client, number) = (low(client), low(number));
        let mut bytes = [0x5a; 16];
        match self {
            Self::Fixed => {
                bytes[8..12].copy_from_slice(&client.to_be_bytes());
                bytes[12..].copy_from_slice(&number.to_be_bytes());
            }
            Self::Random { salt } => {
                let place = (u64::from(client) << 32) | u64::from(number);
                let first = mix(salt ^ mix(place));
                bytes[..8].copy_from_slice(&first.to_be_bytes());
                bytes[8..].copy_from_slice(&mix(first).to_be_bytes());
            }
        }
        LeaseId::from_bytes(bytes)
    }
}

fn low(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What all clients of a run share: the program, its keys and ids, and what was asked for so far.
pub(super) struct Stage<'a> {
    program: &'a Program,
    keys: &'a Keys,
    ids: Ids,
    asked: Mutex<Vec<Vec<(LeaseId, Ask)>>>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(program: &'a Program, keys: &'a Keys, ids: Ids) -> Self {
        Self { program, keys, ids, asked: Mutex::new(vec![Vec::new(); program.clients.len()]) }
    }

    /// Does the steps of this client.
    pub(super) async fn play(&self, client: usize, backend: &dyn LockBackend) {
        for step in &self.program.clients[client] {
            if !step.think.is_zero() {
                backend.runtime().sleep(step.think).await;
            }
            self.step(client, step, backend).await;
        }
    }

    /// Looks at every key once all clients are done, and once more when every lease must have run out.
    pub(super) async fn audit(&self, backend: &dyn LockBackend) {
        let keys = self.keys.of(self.program.keys());
        self.look_at(&keys, backend).await;
        let over = self.program.longest() + backend.capabilities().expiry_resolution();
        if over.is_zero() {
            return;
        }
        backend.runtime().sleep(over).await;
        self.look_at(&keys, backend).await;
        let auditor = self.program.clients.len();
        for (number, key) in keys.iter().enumerate() {
            let ask = AcquireRequest::new(key.clone(), self.ids.id(auditor, number), Ttl::MIN);
            let _recorded = backend.try_acquire(&ask).await;
        }
    }

    async fn look_at(&self, keys: &[LockKey], backend: &dyn LockBackend) {
        for key in keys {
            let _recorded = backend.inspect(key).await;
        }
    }

    async fn step(&self, client: usize, step: &Step, backend: &dyn LockBackend) {
        let cut = Cut { runtime: backend.runtime(), after: step.cut };
        match &step.action {
            Action::Try(ask) => {
                let id = self.fresh(client, *ask);
                self.ask(backend, cut, id, *ask, None).await;
            }
            Action::Wait(ask, wait) => {
                let id = self.fresh(client, *ask);
                self.ask(backend, cut, id, *ask, Some(*wait)).await;
            }
            Action::Again { lease, wait, other } => {
                let Some((id, ask)) = self.find(*lease) else { return };
                let ask = if *other { in_another_mode(ask) } else { ask };
                self.ask(backend, cut, id, ask, *wait).await;
            }
            Action::Extend(lease, ttl) => self.extend(backend, cut, *lease, *ttl).await,
            Action::Release(lease) => {
                let (id, keys) = self.lease(*lease);
                for key in &keys {
                    cut.call(backend.release(key, id)).await;
                }
            }
            Action::Look(key) => cut.call(backend.inspect(self.keys.one(*key))).await,
            Action::Revoke(key) => {
                if let Some(admin) = backend.admin() {
                    cut.call(admin.revoke(self.keys.one(*key))).await;
                }
            }
        }
    }

    async fn ask(
        &self,
        backend: &dyn LockBackend,
        cut: Cut<'_>,
        id: LeaseId,
        ask: Ask,
        wait: Option<Duration>,
    ) {
        let Ok(request) = request(self.keys, id, ask) else { return };
        match wait {
            None => cut.call(backend.try_acquire(&request)).await,
            Some(wait) => {
                let deadline = backend.runtime().now() + wait;
                cut.call(backend.acquire(&request, deadline)).await;
            }
        }
    }

    async fn extend(
        &self,
        backend: &dyn LockBackend,
        cut: Cut<'_>,
        lease: LeaseRef,
        ttl: Duration,
    ) {
        let (id, keys) = self.lease(lease);
        let Ok(ttl) = Ttl::new(ttl) else { return };
        match (backend.batch(), keys.as_slice()) {
            (Some(batch), [_, _, ..]) => {
                let one = |key: &LockKey| ExtendRequest { key: key.clone(), id, ttl };
                let leases: Vec<_> = keys.iter().map(one).collect();
                cut.call(batch.extend_many(&leases)).await;
            }
            _ => {
                for key in &keys {
                    cut.call(backend.extend(key, id, ttl)).await;
                }
            }
        }
    }

    /// A new id, and what is asked for under it.
    fn fresh(&self, client: usize, ask: Ask) -> LeaseId {
        let mut asked = self.asked();
        let id = self.ids.id(client, asked[client].len() + 1);
        asked[client].push((id, ask));
        id
    }

    fn find(&self, lease: LeaseRef) -> Option<(LeaseId, Ask)> {
        let asked = self.asked();
        let of = &asked[lease.client % asked.len()];
        of.len().checked_sub(lease.back + 1).map(|place| of[place])
    }

    /// The id of a lease and its keys: an id that nobody asked for, and the first key of all, if it is not there.
    fn lease(&self, lease: LeaseRef) -> (LeaseId, Vec<LockKey>) {
        match self.find(lease) {
            Some((id, ask)) => (id, self.keys.of(ask.keys)),
            None => {
                let nobody = self.ids.id(lease.client % self.program.clients.len(), 0);
                (nobody, vec![self.keys.one(0).clone()])
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Vec<(LeaseId, Ask)>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_another_mode(ask: Ask) -> Ask {
    match ask.sharing {
        Sharing::Exclusive => Ask { sharing: Sharing::Shared, ..ask },
        Sharing::Shared | Sharing::Limit(_) => {
            Ask { sharing: Sharing::Exclusive, permits: 1, ..ask }
        }
    }
}

fn request(keys: &Keys, id: LeaseId, ask: Ask) -> Result<AcquireRequest> {
    let mode = match ask.sharing {
        Sharing::Exclusive => Mode::Exclusive,
        Sharing::Shared => Mode::READ,
        Sharing::Limit(limit) => Mode::Shared { limit: Limit::new(limit)? },
    };
    AcquireRequest::for_keys(keys.of(ask.keys), id, Ttl::new(ask.ttl)?)?
        .with_mode(mode, ask.permits)?
        .with_min_hold(ask.hold)
}

/// When a call is dropped.
#[derive(Clone, Copy)]
struct Cut<'a> {
    runtime: &'a Runtime,
    after: Option<Duration>,
}

impl Cut<'_> {
    /// What comes of the call is in the recording.
    async fn call<T: Send>(self, call: impl Future<Output = T> + Send) {
        match self.after {
            None => drop(call.await),
            Some(after) => {
                let deadline = self.runtime.now() + after;
                drop(timeout_at(self.runtime.clock(), deadline, call).await);
            }
        }
    }
}
