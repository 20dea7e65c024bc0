//! The backend behind the network: its lives, and what it may not do after a loss.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};
use leasehold::{
    Acquire, Error, FencingToken, Held, HeldReason, LeaseId, LockBackend, LockKey,
    RevocationListener, Runtime, Timestamp, TryAcquire,
};
use leasehold_memory::MemoryBackend;

use super::message::{Answer, Ask};
use crate::{
    history::History,
    record::{QueueProbe, Recorder, Recording},
};

/// Starts the backend of a life.
pub(super) type Start = Arc<dyn Fn(Runtime) -> Made + Send + Sync>;

/// A backend, and how to copy it as it is.
#[derive(Clone)]
pub(super) struct Made {
    backend: Arc<dyn LockBackend>,
    copy: Option<Arc<dyn Fn() -> Self + Send + Sync>>,
}

impl Made {
    pub(super) fn plain(backend: Arc<dyn LockBackend>) -> Self {
        Self { backend, copy: None }
    }

    pub(super) fn copied<B: LockBackend>(
        backend: Arc<B>,
        copy: Arc<dyn Fn(&B) -> B + Send + Sync>,
    ) -> Self {
        let erased: Arc<dyn LockBackend> = Arc::<B>::clone(&backend);
        let again = move || Self::copied(Arc::new(copy(&backend)), Arc::clone(&copy));
        Self { backend: erased, copy: Some(Arc::new(again)) }
    }
}

/// The memory backend, which remembers given-up ids for longer than a run takes.
pub(super) fn memory() -> Start {
    use leasehold_memory::state::Retention;

    let retention = Retention { time: Duration::from_secs(24 * 3600), ids: 65_536 };
    let copy: Arc<dyn Fn(&MemoryBackend) -> MemoryBackend + Send + Sync> =
        Arc::new(MemoryBackend::copy);
    Arc::new(move |runtime| {
        let backend = MemoryBackend::with_retention(runtime, retention);
        Made::copied(Arc::new(backend), Arc::clone(&copy))
    })
}

/// The server of a run.
pub(super) struct Server {
    start: Start,
    runtime: Runtime,
    recording: Recording,
    clients: usize,
    quarantine: Duration,
    /// How many old states are kept for a failover.
    copies: usize,
    state: Mutex<State>,
}

struct State {
    made: Made,
    desks: Vec<Arc<dyn LockBackend>>,
    closed_until: Timestamp,
    keys: BTreeSet<LockKey>,
    copies: VecDeque<Made>,
    judged: Option<History>,
    /// Told of revocations in this life, and gone with it.
    ear: Option<Arc<Ear>>,
}

/// Passes revocations on.
#[derive(Debug)]
struct Ear(Arc<dyn RevocationListener>);

impl RevocationListener for Ear {
    fn revoked(&self, id: LeaseId) {
        self.0.revoked(id);
    }

    fn clock_stepped(&self, by: Duration, seen: Timestamp) {
        self.0.clock_stepped(by, seen);
    }
}

impl Server {
    pub(super) fn new(
        start: Start,
        runtime: Runtime,
        recording: Recording,
        clients: usize,
        quarantine: Duration,
        copies: usize,
    ) -> Self {
        let made = start(runtime.clone());
        let state = State {
            desks: desks(&made, &recording, clients),
            made,
            closed_until: Timestamp::ORIGIN,
            keys: BTreeSet::new(),
            copies: VecDeque::new(),
            judged: None,
            ear: None,
        };
        Self { start, runtime, recording, clients, quarantine, copies, state: Mutex::new(state) }
    }

    /// Tells `listener` of revocations from now on, in this life.
    pub(super) fn tell(&self, listener: Arc<dyn RevocationListener>) {
        let mut state = self.state();
        let ear = Arc::new(Ear(listener));
        if let Some(admin) = state.made.backend.admin() {
            let ear: Arc<dyn RevocationListener> = Arc::<Ear>::clone(&ear);
            admin.watch_revocations(Arc::downgrade(&ear));
        }
        state.ear = Some(ear);
    }

    /// The backend of the present life, past all recording.
    pub(super) fn backend(&self) -> Arc<dyn LockBackend> {
        Arc::clone(&self.state().made.backend)
    }

    /// The specification has nothing to say about what follows: time goes back, or a copy takes over, and leases that have
    /// ended live again.
    pub(super) fn stop_judging(&self) {
        self.state().stop_judging(&self.recording);
    }

    /// What was asked of the server and what it answered, as far as it can be judged by the specification.
    pub(super) fn history(&self) -> History {
        self.state().judged.clone().unwrap_or_else(|| self.recording.history())
    }

    /// Takes a request of this client (from 1). Polled once, the request is in; dropped, its waiter is gone.
    pub(super) fn handle(&self, client: usize, ask: Ask) -> BoxFuture<'static, Answer> {
        let mut state = self.state();
        for key in ask.keys() {
            if !state.keys.contains(key) {
                state.keys.insert(key.clone());
            }
        }
        if self.copies > 0 && ask.writes() {
            state.remember(self.copies);
        }
        let desk = Arc::clone(&state.desks[client - 1]);
        let closed = state.closed_until;
        drop(state);
        answer(desk, ask, closed).boxed()
    }

    /// A restart that forgets everything. No call may be in it.
    pub(super) fn lose_data(&self) {
        let mut state = self.state();
        state.ear = None;
        // To the specification, a loss is a revocation of everything.
        let loss = Recorder::over(Arc::clone(&state.made.backend), self.recording.clone(), "loss");
        match loss.admin() {
            Some(admin) if state.judged.is_none() => {
                for key in &state.keys {
                    let _recorded = admin.revoke(key).now_or_never();
                }
            }
            _ => state.stop_judging(&self.recording),
        }
        let made = (self.start)(self.runtime.clone());
        self.begin(&mut state, made);
    }

    /// A copy takes over that has not seen the last `lost` writes. No call may be in it.
    pub(super) fn fail_over(&self, lost: u32) {
        let mut state = self.state();
        state.stop_judging(&self.recording);
        let lost = usize::try_from(lost).unwrap_or(usize::MAX);
        let place = state.copies.len().saturating_sub(lost);
        let old = state.copies.get(place).cloned();
        let copy = old.unwrap_or_else(|| state.made.clone()).copy;
        let made = copy.map_or_else(|| (self.start)(self.runtime.clone()), |copy| copy());
        self.begin(&mut state, made);
    }

    fn begin(&self, state: &mut State, made: Made) {
        state.desks = desks(&made, &self.recording, self.clients);
        state.made = made;
        state.copies.clear();
        state.closed_until = self.runtime.now() + self.quarantine;
    }

    /// Whether the lease with this token is live now.
    pub(super) fn has(&self, key: &LockKey, token: FencingToken) -> bool {
        let seen = self.backend().inspect(key).now_or_never();
        let leases = seen.and_then(Result::ok).unwrap_or_default().leases;
        leases.iter().any(|lease| lease.token == token && !lease.released)
    }

    /// Every live lease: its key and its token.
    pub(super) fn leases(&self) -> Vec<(LockKey, FencingToken)> {
        let keys: Vec<_> = self.state().keys.iter().cloned().collect();
        let backend = self.backend();
        let mut live = Vec::new();
        for key in keys {
            let seen = backend.inspect(&key).now_or_never();
            let leases = seen.and_then(Result::ok).unwrap_or_default().leases;
            let held = leases.iter().filter(|lease| !lease.released);
            live.extend(held.map(|lease| (key.clone(), lease.token)));
        }
        live
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, most: usize) {
        if let Some(copy) = &self.made.copy {
            self.copies.push_back(copy());
            while self.copies.len() > most {
                self.copies.pop_front();
            }
        }
    }

    fn stop_judging(&mut self, recording: &Recording) {
        self.judged.get_or_insert_with(|| recording.history());
    }
}

/// A recorded way in for each client.
fn desks(made: &Made, recording: &Recording, clients: usize) -> Vec<Arc<dyn LockBackend>> {
    let probe = QueueProbe::new(Arc::clone(&made.backend), recording.clone());
    let first = Recorder::over(probe, recording.clone(), "c1");
    let desk = |client| Arc::new(first.client(format!("c{client}"))) as Arc<dyn LockBackend>;
    (1..=clients).map(desk).collect()
}

async fn answer(desk: Arc<dyn LockBackend>, ask: Ask, closed_until: Timestamp) -> Answer {
    let now = desk.runtime().now();
    match ask {
        Ask::Try(_) if now < closed_until => {
            Answer::Try(Ok(TryAcquire::Held(quarantined(now, closed_until))))
        }
        Ask::Try(request) => Answer::Try(desk.try_acquire(&request).await),
        Ask::Wait { request, within } => {
            let deadline = now + within;
            if now < closed_until {
                desk.runtime().sleep_until(closed_until.min(deadline)).await;
            }
            let now = desk.runtime().now();
            if now < closed_until {
                return Answer::Wait(Ok(Acquire::TimedOut(quarantined(now, closed_until))));
            }
            Answer::Wait(desk.acquire(&request, deadline).await)
        }
        Ask::Extend { key, id, ttl } => Answer::Extend(desk.extend(&key, id, ttl).await),
        Ask::ExtendMany(leases) => Answer::ExtendMany(match desk.batch() {
            Some(batch) => batch.extend_many(&leases).await,
            None => leases.iter().map(|_| Err(Error::unsupported("no batches"))).collect(),
        }),
        Ask::Release { key, id } => Answer::Release(desk.release(&key, id).await),
        Ask::Inspect(key) => Answer::Inspect(desk.inspect(&key).await),
        Ask::Revoke(key) => Answer::Revoke(match desk.admin() {
            Some(admin) => admin.revoke(&key).await,
            None => Err(Error::unsupported("the backend can't revoke")),
        }),
        Ask::List(request) => Answer::List(match desk.admin() {
            Some(admin) => admin.list(&request).await,
            None => Err(Error::unsupported("the backend can't list")),
        }),
    }
}

fn quarantined(now: Timestamp, until: Timestamp) -> Held {
    Held { retry_after: Some(until.since(now)), ..Held::because(HeldReason::Quarantine) }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("backend", &self.backend()).finish_non_exhaustive()
    }
}
