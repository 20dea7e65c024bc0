//! What the parts of a run share: time, what is on its way, who is up, and what goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use leasehold::{
    Clock as _, FencingToken, LeaseId, LockKey, RevocationListeners, Timestamp, VirtualClock,
};

use super::{
    armed::Armed,
    call::Cell,
    choices::Chooser,
    claims::Claims,
    clock::LocalClock,
    message::{Ask, Reply},
    outcome::{FaultNote, Finding},
    plan::Change,
    settings::Settings,
    trace::{Step, Trace},
};
use crate::execute::Incoming;

/// Shared by the driver, the nodes and the network. Nothing that can run code of the user happens under its lock.
#[derive(Debug)]
pub(super) struct World {
    pub(super) truth: VirtualClock,
    pub(super) settings: Settings,
    pub(super) server_clock: LocalClock,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) chooser: Chooser,
    pub(super) armed: Armed,
    /// Whether anything may still go wrong.
    pub(super) stormy: bool,
    pub(super) events: Events,
    pub(super) orders: VecDeque<Order>,
    pub(super) links: Vec<Link>,
    pub(super) host: Host,
    pub(super) calls: BTreeMap<u64, Open>,
    pub(super) next_call: u64,
    pub(super) grants: BTreeMap<(LockKey, FencingToken), GrantNote>,
    pub(super) last_granted: Option<u32>,
    pub(super) lost_releases: BTreeSet<LeaseId>,
    pub(super) claims: Claims,
    pub(super) trace: Trace,
    pub(super) notes: Vec<FaultNote>,
    pub(super) findings: Vec<Finding>,
}

/// What happens at an instant, in order.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: BTreeMap<(Timestamp, u64), Event>,
    next: u64,
}

#[derive(Debug)]
pub(super) enum Event {
    /// A request comes to the server.
    Arrive(Letter),
    /// A reply comes to the client.
    Hear { client: u32, call: u64, reply: Reply },
    /// The server notices that a caller is gone.
    Gone { client: u32, call: u64, epoch: u32 },
    /// The server notices that a machine is gone.
    Closed { client: u32, epoch: u32 },
    /// A revocation is told to a client.
    Revoked { client: u32, id: LeaseId },
    /// A fault of the plan is due.
    Fault(usize),
    /// A fault ends.
    Over(Over, usize),
    /// A claim is looked at.
    Claim(usize),
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) call: u64,
    pub(super) client: u32,
    pub(super) ask: Ask,
    /// What will happen to the reply.
    pub(super) reply: Vec<Change>,
    /// The life of the server that it was sent to.
    pub(super) epoch: u32,
    /// Whether it is the second of two.
    pub(super) copy: bool,
}

/// What is over, with the number of its note.
#[derive(Clone, Debug)]
pub(super) enum Over {
    Pause(u32),
    Partition(Vec<u32>),
    Crash(u32),
    Restart,
}

/// What the driver has to do: only it has the tasks.
#[derive(Debug)]
pub(super) enum Order {
    Pause(u32),
    Resume(u32),
    /// Drop the tasks of a client.
    Kill(u32),
    /// Start the body of a client anew.
    Begin(u32),
    /// Drop what the server is doing.
    StopServer,
    LoseData,
    FailOver(u32),
    /// What the server does from here on can't be judged by the specification.
    StopJudging,
}

/// A client's machine and its connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) clock: LocalClock,
    pub(super) wall: LocalClock,
    pub(super) up: bool,
    /// Whether it will come up again.
    pub(super) returns: bool,
    /// Grows with every crash.
    pub(super) life: u32,
    pub(super) pauses: u32,
    pub(super) cuts: u32,
    pub(super) last_request: Timestamp,
    pub(super) last_reply: Timestamp,
    pub(super) listeners: Arc<RevocationListeners>,
}

/// The server's machine.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) downs: u32,
    pub(super) pauses: u32,
    pub(super) epoch: u32,
    /// What came while it was paused.
    pub(super) held: Vec<Event>,
    /// When its clock was set last.
    pub(super) last_step: Option<Timestamp>,
    /// When leases may have been lost.
    pub(super) last_data_loss: Option<Timestamp>,
    /// By how much its clock was set, in all.
    pub(super) stepped_ns: u64,
    pub(super) ppm: u32,
}

/// A call that was not answered yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) client: u32,
    pub(super) cell: Arc<Cell>,
    /// One of its messages was lost.
    pub(super) lost: bool,
    pub(super) ends: Option<LeaseId>,
}

/// What is known of a grant.
#[derive(Clone, Copy, Debug)]
pub(super) struct GrantNote {
    /// When the request had come: from then on the waiter counts by the server's clock.
    pub(super) asked: Timestamp,
    pub(super) client: u32,
    pub(super) life: u32,
    pub(super) id: LeaseId,
    /// Whether the second of two requests got it, when the first had not.
    pub(super) copy: bool,
}

/// The owner of the server's tasks.
pub(super) const SERVER: u32 = 0;

impl World {
    pub(super) fn new(
        truth: VirtualClock,
        settings: Settings,
        server_clock: LocalClock,
        state: State,
    ) -> Self {
        Self { truth, settings, server_clock, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.truth.now()
    }

    /// One of so many.
    pub(super) fn choose(&self, count: usize) -> usize {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        usize::try_from(self.state().chooser.below(count)).unwrap_or(0)
    }

    pub(super) fn step(&self, step: Step) {
        let now = self.now().as_nanos();
        self.state().trace.add(now, step);
    }
}

impl State {
    pub(super) fn link(&mut self, client: u32) -> Option<&mut Link> {
        let place = usize::try_from(client).ok()?.checked_sub(1)?;
        self.links.get_mut(place)
    }

    /// How long the next message takes.
    pub(super) fn latency(&mut self, longest: Duration) -> Duration {
        const CLASSES: u32 = 8;
        if longest.is_zero() {
            return Duration::ZERO;
        }
        longest.saturating_mul(self.chooser.below(CLASSES)) / (CLASSES - 1)
    }
}

impl Events {
    /// Puts an event where it happens; nothing happens before now.
    pub(super) fn put(&mut self, at: Timestamp, event: Event) {
        self.next += 1;
        self.queue.insert((at, self.next), event);
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// What is due by now, the first.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Event> {
        self.next().filter(|at| *at <= now)?;
        self.queue.pop_first().map(|(_, event)| event)
    }

    /// Takes every end of a fault out.
    pub(super) fn take_ends(&mut self) -> Vec<Event> {
        let ends = |event: &Event| matches!(event, Event::Over(..) | Event::Fault(_));
        let places = self.queue.iter().filter(|(_, event)| ends(event));
        let places: Vec<_> = places.map(|(place, _)| *place).collect();
        places.into_iter().filter_map(|place| self.queue.remove(&place)).collect()
    }
}

/// Where tasks of the running ones are started.
pub(super) struct Tasks {
    pub(super) incoming: Incoming,
    pub(super) world: Arc<World>,
    pub(super) client: u32,
    pub(super) life: u32,
}

impl leasehold::runtime::Spawn for Tasks {
    fn spawn(&self, task: futures::future::BoxFuture<'static, ()>) {
        let mut state = self.world.state();
        let lives = state.link(self.client).is_none_or(|link| link.up && link.life == self.life);
        drop(state);
        if lives {
            let task = Box::pin(tokio::task::unconstrained(task));
            self.incoming.push(self.client, task);
        }
    }
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks").field("client", &self.client).finish_non_exhaustive()
    }
}
