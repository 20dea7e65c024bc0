//! A client of the simulation, as its own code sees it.

use std::{fmt, sync::Arc};

use leasehold::{
    Clock, Config, ConfigBuilder, FencingToken, Lease, LockBackend, LockKey, Locker, Runtime,
    Timestamp,
};

use super::{armed::Occasion, outcome::Finding, trace::Step, world::World};

/// One client: a machine with a clock of its own, a process on it, and a connection to the server.
///
/// The body of the client gets it. Cloning is cheap, and clones are the same client. Everything that takes its time, its
/// tasks and its randomness from [`runtime`](Self::runtime) is part of the simulation; what reaches for tokio's timers or for
/// threads is found out and reported.
#[derive(Clone)]
pub struct Node {
    pub(super) world: Arc<World>,
    pub(super) client: u32,
    pub(super) life: u32,
    pub(super) runtime: Runtime,
    pub(super) wall: Arc<dyn Clock>,
    pub(super) backend: Arc<dyn LockBackend>,
}

impl Node {
    /// The client's number, from 1.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.client
    }

    /// How often the client has crashed before: 0 in its first life.
    #[must_use]
    pub const fn life(&self) -> u32 {
        self.life
    }

    /// The client's clock (monotonic, at a rate of its own), randomness and tasks.
    #[must_use]
    pub const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The client's wall clock, which may be set, also back: what a lease must never be counted by.
    #[must_use]
    pub fn wall_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.wall)
    }

    /// The backend behind the network, on this client's runtime; recorded.
    #[must_use]
    pub fn backend(&self) -> Arc<dyn LockBackend> {
        Arc::clone(&self.backend)
    }

    /// Settings that fit the run: its ttl, a fifth of it for an operation.
    pub fn config(&self) -> ConfigBuilder {
        let settings = &self.world.settings;
        Config::builder()
            .ttl(settings.ttl)
            .max_ttl(settings.ttl.max(leasehold::Ttl::MIN.get()))
            .op_timeout(settings.op_timeout)
            .wait(settings.ttl * 10)
    }

    /// A locker with [these settings](Self::config).
    ///
    /// # Panics
    /// If the run's [ttl](super::Sim::ttl) is too short for the default drift allowance: below 3 ms.
    #[must_use]
    pub fn locker(&self) -> Locker {
        let config = self.config().build();
        #[expect(clippy::expect_used, reason = "only a ttl that the caller chose can be wrong")]
        let config = config.expect("the ttl of the run is long enough for a locker");
        self.locker_with(config)
    }

    /// A locker with these settings.
    #[must_use]
    pub fn locker_with(&self, config: Config) -> Locker {
        Locker::from_arc(self.backend(), config)
    }

    /// Comes to a place that plans can name (`pause holder for 2 ttl before write`), and lets others run.
    ///
    /// Put one wherever a pause would matter: between the check of a lease and what it protects, above all. A name begins
    /// with a small letter; small letters, digits, `_` and `-` may follow.
    pub async fn point(&self, name: &str) {
        self.arrive_at(name);
        let mut came = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut came, true) {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }

    fn arrive_at(&self, name: &str) {
        let world = &self.world;
        let now = world.now().as_nanos();
        let mut state = world.state();
        if !state.lives(self.client, self.life) {
            return;
        }
        state.trace.add(now, Step::Point { client: self.client, name: name.into() });
        let _no_message = world.occur(&mut state, Occasion::Point(name), self.client);
        if state.stormy
            && let Some(span) = world.settings.storm.pause(&mut state.chooser)
        {
            let span = span.of(world.settings.ttl);
            let words = format!("pause client {} before {name}", self.client).into();
            world.pause(&mut state, self.client, span, &words);
        }
    }

    /// Holds what this lease says of itself against what the server knows, from now on and exactly at the last instant at
    /// which it says to be valid: the run fails with [`Finding::NotHeld`] if the server has ended it by then, and with
    /// [`Finding::TwoHolders`] if two leases of this kind are valid on one key at once.
    ///
    /// For exclusive leases. A lease that was revoked, or lost with the server's data, is excused.
    pub fn watch<B: LockBackend + ?Sized>(&self, lease: &Lease<B>) {
        let (key, token) = (lease.key().clone(), lease.token());
        let lease = lease.clone();
        self.claim(key, token, move || lease.is_valid().then(|| lease.valid_until()));
    }

    /// As [`watch`](Self::watch), for anything else that believes in a lease: `until` says until when on this client's
    /// clock, or `None` once it does not believe in it any more.
    pub fn claim(
        &self,
        key: LockKey,
        token: FencingToken,
        until: impl Fn() -> Option<Timestamp> + Send + 'static,
    ) {
        self.world.claim((self.client, self.life), key, token, Box::new(until));
    }

    /// Says that something is wrong: the run fails with this sentence.
    pub fn fail(&self, sentence: impl Into<String>) {
        self.world.state().findings.push(Finding::Failed(sentence.into()));
    }

    /// Writes something into the trace.
    pub fn say(&self, words: impl Into<Arc<str>>) {
        self.world.step(Step::Words { client: self.client, words: words.into() });
    }

    /// The true time since the run began, which a real client could not know: for histories and final checks.
    #[must_use]
    pub fn true_time(&self) -> Timestamp {
        self.world.now()
    }

    /// Whether things may still go wrong: a body that works until the storm is over asks this.
    #[must_use]
    pub fn is_stormy(&self) -> bool {
        self.world.state().stormy
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node {}, life {}", self.client, self.life)
    }
}
