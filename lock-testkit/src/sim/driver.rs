//! The loop that runs everything: tasks as long as one can run, then the next event, then time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::future::BoxFuture;
use leasehold::{Clock as _, Timestamp};

use super::{
    message::{Answer, Reply},
    network::Push,
    node::Node,
    outcome::Finding,
    server::Server,
    trace::Step,
    world::{Event, Letter, Order, Over, SERVER, World},
};
use crate::execute::{Executor, Polled, TaskId};

/// Starts the body of a client's life.
pub(super) type Body<'a> = dyn Fn(Node) -> BoxFuture<'static, ()> + Send + Sync + 'a;

/// Makes the node of a client's life.
pub(super) type MakeNode<'a> = dyn Fn(u32, u32) -> Node + Send + Sync + 'a;

pub(super) struct Driver<'a> {
    pub(super) world: Arc<World>,
    pub(super) server: Arc<Server>,
    pub(super) executor: Executor<'static>,
    pub(super) body: &'a Body<'a>,
    pub(super) make: &'a MakeNode<'a>,
    /// The bodies that have not ended, by client.
    pub(super) bodies: BTreeMap<u32, TaskId>,
    /// What the server is doing, by client and call: a request that came twice is done twice.
    pub(super) handlers: BTreeSet<(u32, u64, TaskId)>,
    /// Polls since time moved.
    pub(super) busy: u32,
}

/// So many polls without any time passing are a loop.
const BUSY: u32 = 1_000_000;

/// Why the loop came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Every body has ended, and none will begin again.
    Done,
    /// The time was up.
    Late,
    /// Nobody can run, and nothing is waited for.
    Idle,
    /// A body went round without letting time pass.
    Busy,
}

impl Driver<'_> {
    /// Runs the bodies to their ends: first while things go wrong, then while nothing does.
    pub(super) fn run(&mut self) {
        let (horizon, calm) = (self.world.settings.horizon, self.world.settings.calm);
        self.server.tell(Arc::new(Push(Arc::downgrade(&self.world))));
        let clients = u32::try_from(self.world.state().links.len()).unwrap_or(u32::MAX);
        for client in 1..=clients {
            self.begin(client);
        }
        let mut stop = self.go(self.world.now() + horizon, true);
        self.heal();
        if stop == Stop::Late {
            stop = self.go(self.world.now() + calm, true);
        }
        let at_ns = self.world.now().as_nanos();
        let clients: Vec<_> = self.bodies.keys().copied().collect();
        match stop {
            Stop::Done => self.tidy_up(),
            Stop::Idle => self.find(Finding::Foreign { clients, at_ns }),
            Stop::Late | Stop::Busy => self.find(Finding::Stuck { clients, at_ns }),
        }
        if self.executor.was_woken_from_elsewhere() {
            self.find(Finding::Thread);
        }
    }

    fn find(&self, finding: Finding) {
        self.world.state().findings.push(finding);
    }

    /// Nothing goes wrong from here on, and what did is mended.
    fn heal(&mut self) {
        self.world.step(Step::Calm);
        let mut state = self.world.state();
        state.stormy = false;
        let ends = state.events.take_ends();
        drop(state);
        for end in ends {
            if let Event::Over(over, note) = end {
                self.over(over, note);
            }
        }
        self.obey();
    }

    /// Gives clean-ups their time, then looks for what nobody cleaned up.
    fn tidy_up(&mut self) {
        let settings = &self.world.settings;
        let time = (settings.op_timeout + settings.latency) * 2;
        self.go(self.world.now() + time, false);
        let leases = self.server.leases();
        let mut state = self.world.state();
        if state.host.last_data_loss.is_some() {
            return;
        }
        for (key, token) in leases {
            let Some(note) = state.grants.get(&(key.clone(), token)).copied() else { continue };
            // Nobody gives up what was refused: its copy may be granted all the same, for one ttl.
            let explained = note.copy || state.lost_releases.contains(&note.id);
            if state.lives(note.client, note.life) && !explained {
                let (key, token) = (key.to_string(), token.get());
                state.findings.push(Finding::Orphan { client: note.client, key, token });
            }
        }
    }

    /// Runs until this true instant, or, if `bodies`, until every body has ended.
    fn go(&mut self, end: Timestamp, bodies: bool) -> Stop {
        loop {
            self.obey();
            if bodies && self.is_done() {
                return Stop::Done;
            }
            let world = &self.world;
            match self.executor.poll_one(|ready| world.choose(ready)) {
                Polled::Nobody => {
                    if let Some(stop) = self.move_on(end) {
                        return stop;
                    }
                }
                Polled::Ran => {
                    self.busy += 1;
                    if self.busy > BUSY {
                        return Stop::Busy;
                    }
                }
                Polled::Ended(task) => self.ended(task, None),
                Polled::Panicked(task) => {
                    let panic = self.executor.take_panic();
                    self.ended(task, Some(words(&*panic)));
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.bodies.is_empty()
            && self.world.state().links.iter().all(|link| link.up || !link.returns)
    }

    fn ended(&mut self, task: TaskId, panic: Option<String>) {
        let client = self.bodies.iter().find(|(_, body)| **body == task).map(|(client, _)| *client);
        if let Some(client) = client {
            self.bodies.remove(&client);
            self.world.step(Step::Ends { client });
        } else {
            self.handlers.retain(|(_, _, handler)| *handler != task);
        }
        if let Some(message) = panic {
            self.find(Finding::Panicked { client: client.unwrap_or(SERVER), message });
        }
    }

    /// Nobody can run: the next event happens, or time passes. Says why neither can be.
    fn move_on(&mut self, end: Timestamp) -> Option<Stop> {
        self.busy = 0;
        let now = self.world.now();
        let event = self.world.state().events.due(now);
        if let Some(event) = event {
            self.happen(event);
            return None;
        }
        let timer = self.world.truth.next_deadline().filter(|at| *at < Timestamp::MAX);
        let event = self.world.state().events.next();
        let next = timer.into_iter().chain(event).min();
        match next {
            None => Some(Stop::Idle),
            Some(next) if next > end => {
                self.world.truth.jump_to(end);
                Some(Stop::Late)
            }
            Some(next) => {
                self.world.truth.jump_to(next);
                None
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(letter) => self.arrive(letter),
            Event::Hear { client, call, reply } => self.world.hear(client, call, reply),
            Event::Gone { client, call, epoch } => {
                if self.reaches_server(client, epoch) {
                    self.hang_up(|of| of == (client, call));
                }
            }
            Event::Closed { client, epoch } => {
                if self.reaches_server(client, epoch) {
                    self.hang_up(|(of, _)| of == client);
                }
            }
            Event::Revoked { client, id } => {
                let mut state = self.world.state();
                let link = state.link(client).filter(|link| link.up && link.cuts == 0);
                let listeners = link.map(|link| Arc::clone(&link.listeners));
                drop(state);
                if let Some(listeners) = listeners {
                    listeners.tell(id);
                }
            }
            Event::Fault(place) => self.world.strike_timed(place),
            Event::Over(over, note) => self.over(over, note),
            Event::Claim(number) => {
                self.world.look_at_claim(number, |key, token| self.server.has(key, token));
            }
        }
    }

    /// Whether a message can come in that was sent to this life of the server.
    fn reaches_server(&self, client: u32, epoch: u32) -> bool {
        let mut state = self.world.state();
        let up = state.host.downs == 0 && state.host.epoch == epoch;
        up && state.link(client).is_some_and(|link| link.cuts == 0)
    }

    fn hang_up(&mut self, which: impl Fn((u32, u64)) -> bool) {
        let (gone, stays) = std::mem::take(&mut self.handlers)
            .into_iter()
            .partition(|(client, call, _)| which((*client, *call)));
        self.handlers = stays;
        let gone: BTreeSet<_> = gone;
        for (_, _, task) in gone {
            self.executor.drop_task(task);
        }
    }

    fn arrive(&mut self, letter: Letter) {
        let now = self.world.now().as_nanos();
        let mut state = self.world.state();
        if state.host.pauses > 0 {
            state.host.held.push(Event::Arrive(letter));
            return;
        }
        if state.link(letter.client).is_none_or(|link| link.cuts > 0) {
            return state.lose(now, letter.call);
        }
        if state.host.downs > 0 || state.host.epoch != letter.epoch {
            state.lose(now, letter.call);
            drop(state);
            let call = letter.call;
            let cell = self.world.state().calls.get(&call).map(|open| Arc::clone(&open.cell));
            return self.world.break_calls(|open| {
                cell.as_ref().is_some_and(|cell| Arc::ptr_eq(cell, &open.cell))
            });
        }
        state.trace.add(now, Step::Arrives { call: letter.call });
        drop(state);
        self.handle(letter);
    }

    fn handle(&mut self, letter: Letter) {
        let (came, asked) = (self.world.server_clock.now(), self.world.now());
        let client = usize::try_from(letter.client).unwrap_or(1);
        let mut handling = self.server.handle(client, letter.ask.clone());
        let world = Arc::clone(&self.world);
        let letter_of = (letter.client, letter.call);
        // In this one poll the request is in, and most are answered.
        let poll = handling.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let done = move |answer: Answer| world.answer(&letter, asked, Reply { answer, came });
        match poll {
            Poll::Ready(answer) => done(answer),
            Poll::Pending => {
                let task =
                    self.executor.spawn(SERVER, Box::pin(async move { done(handling.await) }));
                self.handlers.insert((letter_of.0, letter_of.1, task));
            }
        }
    }

    fn over(&mut self, over: Over, note: usize) {
        let healed = if let Over::Partition(cut) = &over { cut.clone() } else { Vec::new() };
        self.world.over(over, note);
        let mended =
            |client: u32| self.world.state().link(client).is_some_and(|link| link.cuts == 0);
        let healed: Vec<_> = healed.into_iter().filter(|client| mended(*client)).collect();
        self.world.break_calls(|open| open.lost && healed.contains(&open.client));
    }

    /// Does what was ordered.
    fn obey(&mut self) {
        loop {
            let order = self.world.state().orders.pop_front();
            let Some(order) = order else { return };
            match order {
                Order::Pause(owner) => self.executor.pause(owner),
                Order::Resume(owner) => self.resume(owner),
                Order::Kill(client) => {
                    self.executor.drop_all_of(client);
                    self.bodies.remove(&client);
                }
                Order::Begin(client) => self.begin(client),
                Order::StopServer => {
                    self.executor.drop_all_of(SERVER);
                    self.handlers.clear();
                    self.world.state().host.held.clear();
                    self.world.break_calls(|_| true);
                }
                Order::StopJudging => self.server.stop_judging(),
                Order::LoseData => {
                    self.server.lose_data();
                    self.server.tell(Arc::new(Push(Arc::downgrade(&self.world))));
                }
                Order::FailOver(lost) => {
                    self.server.fail_over(lost);
                    self.server.tell(Arc::new(Push(Arc::downgrade(&self.world))));
                }
            }
        }
    }

    fn resume(&mut self, owner: u32) {
        self.executor.resume(owner);
        if owner == SERVER {
            let mut state = self.world.state();
            let now = self.world.now();
            for event in std::mem::take(&mut state.host.held) {
                state.events.put(now, event);
            }
        }
    }

    /// Starts the body of a client, and its machine if that is down.
    fn begin(&mut self, client: u32) {
        let mut state = self.world.state();
        let Some(link) = state.link(client) else { return };
        (link.up, link.returns) = (true, false);
        link.listeners = Arc::default();
        let life = link.life;
        drop(state);
        self.world.step(Step::Begins { client, life });
        let body = (self.body)((self.make)(client, life));
        let body = Box::pin(tokio::task::unconstrained(body));
        let task = self.executor.spawn(client, body);
        self.bodies.insert(client, task);
    }

    /// Everything is dropped: what is still running never ends.
    pub(super) fn end(&mut self) {
        let mut state = self.world.state();
        for link in &mut state.links {
            link.up = false;
        }
        let calls = std::mem::take(&mut state.calls);
        drop(state);
        drop(calls);
        let clients = u32::try_from(self.world.state().links.len()).unwrap_or(u32::MAX);
        for owner in 0..=clients {
            self.executor.drop_all_of(owner);
        }
        self.world.forget_claims();
    }
}

/// What a panic said, if it said it in words.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without words".to_owned())
}
