//! One run: how it is set up, and how it is judged.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use futures::FutureExt as _;
use leasehold::{
    LockBackend, Runtime, Timestamp, VirtualClock,
    runtime::{Entropy, SeededEntropy},
};

use super::{
    armed::Armed,
    backend::SimBackend,
    choices::{Choices, Chooser},
    claims::Claims,
    clock::LocalClock,
    driver::{Body, Driver},
    hunt::Attempt,
    node::Node,
    outcome::{Finding, Run, SimReplay},
    plan::{Action, FaultPlan},
    server::{Made, Server, Start, memory},
    settings::{Settings, Storm},
    trace::Trace,
    world::{Event, Events, Host, Link, SERVER, State, Tasks, World},
};
use crate::{
    check::{Limits, lock::Options},
    execute::{Executor, Incoming},
    generate::{self, Criteria, mix},
    model::lock::Slack,
    record::{Recorder, Recording},
};

/// A simulation: clients with clocks of their own, a network, a server, and what goes wrong, all decided by one seed.
///
/// ```
/// use leasehold_testkit::sim::Sim;
///
/// let run = Sim::new(7)
///     .clients(3)
///     .plan("pause holder for 2 ttl after grant 1".parse()?)
///     .run(async |node| {
///         let locker = node.locker();
///         let Ok(guard) = locker.lock("job").acquire().await else { return };
///         node.watch(&guard);
///         node.point("write").await;
///         let _released = guard.release().await;
///     });
/// assert!(run.is_ok(), "{:?}", run.finding());
/// assert_eq!(run.faults.len(), 1);
/// # Ok::<(), leasehold_testkit::sim::ParsePlanError>(())
/// ```
#[derive(Clone)]
pub struct Sim {
    seed: u64,
    clients: u32,
    plan: FaultPlan,
    choices: Option<Choices>,
    settings: Settings,
    drift_ppm: u32,
    start: Start,
}

impl Sim {
    /// Two clients and a memory backend, a network that takes up to 5 ms, clocks that differ by up to 0.5 %, a ttl of a
    /// second, and nothing that goes wrong.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            clients: 2,
            plan: FaultPlan::NONE,
            choices: None,
            settings: Settings::default(),
            drift_ppm: 5_000,
            start: memory(),
        }
    }

    /// How many clients, from 1 to 1000.
    #[must_use]
    pub fn clients(mut self, clients: u32) -> Self {
        self.clients = clients.clamp(1, 1_000);
        self
    }

    /// What goes wrong.
    #[must_use]
    pub fn plan(mut self, plan: FaultPlan) -> Self {
        self.plan = plan;
        self
    }

    /// What goes wrong at random besides.
    #[must_use]
    pub const fn storm(mut self, storm: Storm) -> Self {
        self.settings.storm = storm;
        self
    }

    /// Repeats what was chosen in another run, instead of choosing by the seed.
    #[must_use]
    pub fn choices(mut self, choices: Choices) -> Self {
        self.choices = Some(choices);
        self
    }

    /// Repeats another run of the same settings: its seed, its plan and its choices.
    #[must_use]
    pub fn again(mut self, replay: SimReplay) -> Self {
        let SimReplay { seed, plan, choices } = replay;
        self.seed = seed;
        self.plan(plan).choices(choices)
    }

    /// Has this run of a [hunt](super::hunt_plans).
    #[must_use]
    pub fn attempt(mut self, attempt: &Attempt) -> Self {
        self.seed = attempt.seed;
        self.choices.clone_from(&attempt.choices);
        self.plan(attempt.plan.clone())
    }

    /// The unit in which plans count, and the ttl of [`Node::config`]; an operation has a fifth of it, things go wrong for up
    /// to 30 of it, and the bodies have 60 more.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        let Settings { latency, quarantine, storm, .. } = self.settings;
        let (op_timeout, horizon, calm) = (ttl / 5, ttl * 30, ttl * 60);
        self.settings = Settings { ttl, op_timeout, latency, quarantine, storm, horizon, calm };
        self
    }

    /// The longest time that a message takes when nothing is wrong with it.
    #[must_use]
    pub const fn latency(mut self, longest: Duration) -> Self {
        self.settings.latency = longest;
        self
    }

    /// How far clocks may run apart, in parts per million; at most half as fast or as slow again. The default drift allowance of a
    /// locker covers 10000.
    #[must_use]
    pub fn drift_ppm(mut self, ppm: u32) -> Self {
        self.drift_ppm = ppm.min(500_000);
        self
    }

    /// For how long the server grants nothing after it lost data; twice the ttl unless set. Zero switches it off.
    #[must_use]
    pub const fn quarantine(mut self, quarantine: Duration) -> Self {
        self.settings.quarantine = Some(quarantine);
        self
    }

    /// How long things go wrong at the most, and how long the bodies have from then on.
    #[must_use]
    pub const fn phases(mut self, stormy: Duration, calm: Duration) -> Self {
        self.settings.horizon = stormy;
        self.settings.calm = calm;
        self
    }

    /// Puts another backend behind the network. `start` is called for every life of the server that begins without data.
    /// The backend must do all it does within the calls to it, on the time of this runtime.
    #[must_use]
    pub fn backend<B: LockBackend>(
        mut self,
        start: impl Fn(Runtime) -> B + Send + Sync + 'static,
    ) -> Self {
        self.start = Arc::new(move |runtime| Made::plain(Arc::new(start(runtime))));
        self
    }

    /// As [`backend`](Self::backend), for one that can be copied as it is: what a failover needs. The copy has no waiters.
    #[must_use]
    pub fn backend_with_copies<B: LockBackend>(
        mut self,
        start: impl Fn(Runtime) -> B + Send + Sync + 'static,
        copy: impl Fn(&B) -> B + Send + Sync + 'static,
    ) -> Self {
        let copy: Arc<dyn Fn(&B) -> B + Send + Sync> = Arc::new(copy);
        self.start =
            Arc::new(move |runtime| Made::copied(Arc::new(start(runtime)), Arc::clone(&copy)));
        self
    }

    /// Runs the body of every client, and judges what happened. A client that crashes and comes back begins its body anew.
    ///
    /// A run is synchronous: it needs no runtime, and takes no real time but that of its computing.
    pub fn run<F, Fut>(&self, body: F) -> Run
    where
        F: Fn(Node) -> Fut + Send + Sync,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.run_boxed(&|node| body(node).boxed())
    }

    fn run_boxed(&self, body: &Body<'_>) -> Run {
        let Stage { world, server, clients, executor } = self.stage();
        let incoming = executor.incoming().clone();
        let make = |client, life| self.node(&world, &server, &clients, &incoming, client, life);
        let mut driver = Driver {
            world: Arc::clone(&world),
            server: Arc::clone(&server),
            executor,
            body,
            make: &make,
            bodies: BTreeMap::new(),
            handlers: BTreeSet::new(),
            busy: 0,
        };
        driver.run();
        driver.end();
        drop(driver);
        self.judge(&world, &server, &clients)
    }

    fn node(
        &self,
        world: &Arc<World>,
        server: &Arc<Server>,
        clients: &Recording,
        incoming: &Incoming,
        client: u32,
        life: u32,
    ) -> Node {
        let mut state = world.state();
        // There is a link for every client.
        let link = state.link(client);
        let (clock, wall, listeners) = link.map_or_else(
            || (world.server_clock.clone(), world.server_clock.clone(), Arc::default()),
            |link| (link.clock.clone(), link.wall.clone(), Arc::clone(&link.listeners)),
        );
        drop(state);
        let entropy = self.entropy(u64::from(client) << 32 | u64::from(life));
        let tasks = Tasks { incoming: incoming.clone(), world: Arc::clone(world), client, life };
        let runtime = Runtime::new(Arc::new(clock.clone()), entropy, Arc::new(tasks));
        let backend = SimBackend {
            world: Arc::clone(world),
            client,
            life,
            clock,
            runtime: runtime.clone(),
            capabilities: server.backend().capabilities(),
            listeners,
        };
        let recorder = Recorder::over(backend, clients.clone(), format!("c{client}"));
        let (wall, backend) = (Arc::new(wall), Arc::new(recorder));
        Node { world: Arc::clone(world), client, life, runtime, wall, backend }
    }

    /// Randomness that the seed decides, another for each number.
    fn entropy(&self, number: u64) -> Arc<dyn Entropy> {
        Arc::new(SeededEntropy::new(mix(self.seed ^ mix(number))))
    }

    fn judge(&self, world: &World, server: &Server, clients: &Recording) -> Run {
        let mut state = world.state();
        let host = std::mem::take(&mut state.host);
        let mut findings = std::mem::take(&mut state.findings);
        let slack = Slack { rate_ppm: host.ppm, jitter_ns: host.stepped_ns, ..Slack::EXACT };
        let limits = Limits { explored: 5_000_000, alive: 20_000 };
        let options = Options { slack, limits, ..Options::default() };
        let ran = Criteria { options, ..Criteria::default() }.judge(server.history());
        let mut undecided = None;
        match ran.finding {
            Some(generate::Finding::Undecided(reached)) => undecided = Some(reached.to_string()),
            Some(finding) => findings.insert(0, Finding::Backend(finding)),
            None => {}
        }
        let chooser = std::mem::replace(&mut state.chooser, Chooser::seeded(0));
        let replay =
            SimReplay { seed: self.seed, plan: self.plan.clone(), choices: chooser.made() };
        Run {
            history: clients.history(),
            server: ran.history,
            faults: std::mem::take(&mut state.notes),
            trace: std::mem::take(&mut state.trace),
            findings,
            undecided,
            replay,
            ended_ns: world.now().as_nanos(),
        }
    }
}

/// What a run is made of.
struct Stage {
    world: Arc<World>,
    server: Arc<Server>,
    /// What the clients ask and are answered.
    clients: Recording,
    executor: Executor<'static>,
}

/// Where the clocks of machines start, so that they can be set back.
const SINCE: Timestamp = Timestamp::from_nanos(86_400_000_000_000);

impl Sim {
    fn stage(&self) -> Stage {
        let truth = VirtualClock::new();
        let executor = Executor::default();
        let mut chooser = match &self.choices {
            Some(choices) => Chooser::given(choices.clone()),
            None => Chooser::seeded(mix(self.seed)),
        };
        let server_clock = LocalClock::new(&truth, SINCE, 0);
        let links: Vec<_> = (0..self.clients).map(|_| self.link(&truth, &mut chooser)).collect();
        let state = State {
            chooser,
            armed: Armed::new(&self.plan),
            stormy: true,
            events: self.events(),
            orders: VecDeque::new(),
            links,
            host: Host::default(),
            calls: BTreeMap::new(),
            next_call: 0,
            grants: BTreeMap::new(),
            last_granted: None,
            lost_releases: BTreeSet::new(),
            claims: Claims::default(),
            trace: Trace::default(),
            notes: Vec::new(),
            findings: Vec::new(),
        };
        let settings = self.settings.clone();
        let world = Arc::new(World::new(truth.clone(), settings, server_clock.clone(), state));
        let tasks = Tasks {
            incoming: executor.incoming().clone(),
            world: Arc::clone(&world),
            client: SERVER,
            life: 0,
        };
        let tasks = Arc::new(tasks);
        let runtime =
            Runtime::new(Arc::new(server_clock), self.entropy(0), Arc::clone(&tasks) as _);
        let true_time = Runtime::new(Arc::new(truth), self.entropy(1), tasks);
        let server = Server::new(
            Arc::clone(&self.start),
            runtime,
            Recording::in_process(&true_time),
            usize::try_from(self.clients).unwrap_or(1),
            self.settings.quarantine(),
            self.copies(),
        );
        let clients = Recording::new(&true_time);
        Stage { world, server: Arc::new(server), clients, executor }
    }

    fn link(&self, truth: &VirtualClock, chooser: &mut Chooser) -> Link {
        let most = i32::try_from(self.drift_ppm).unwrap_or(0);
        let ppm = [0, most, -most, most / 2, -most / 2];
        let place = usize::try_from(chooser.below(5)).unwrap_or(0);
        let ppm = ppm.get(place).copied().unwrap_or(0);
        let start = SINCE + self.settings.ttl * chooser.below(4);
        Link {
            clock: LocalClock::new(truth, start, ppm),
            wall: LocalClock::new(truth, start, ppm),
            up: false,
            returns: false,
            life: 0,
            pauses: 0,
            cuts: 0,
            last_request: Timestamp::ORIGIN,
            last_reply: Timestamp::ORIGIN,
            listeners: Arc::default(),
        }
    }

    /// The faults that happen at an instant.
    fn events(&self) -> Events {
        let mut events = Events::default();
        for (at, place) in Armed::new(&self.plan).timed(self.settings.ttl) {
            events.put(Timestamp::ORIGIN + at, Event::Fault(place));
        }
        events
    }

    /// How many old states a failover may ask for.
    fn copies(&self) -> usize {
        let lost = self.plan.faults.iter().map(|fault| match fault.action {
            Action::Failover { lost, .. } => lost,
            _ => 0,
        });
        usize::try_from(lost.max().unwrap_or(0)).unwrap_or(0)
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, clients, plan, .. } = self;
        write!(f, "Sim of {clients} clients, seed {seed}, {plan}")
    }
}
