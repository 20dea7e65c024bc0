//! The plan at work: which faults are due, and what they do.

use std::{sync::Arc, time::Duration};

use super::{
    outcome::FaultNote,
    plan::{Action, Change, Fault, FaultPlan, Leg, Operation, Trigger, Who},
    trace::Step,
    world::{Event, Order, Over, SERVER, State, World},
};

/// A plan with the count of what each fault still waits for.
#[derive(Debug)]
pub(super) struct Armed {
    faults: Vec<(Fault, u32)>,
    /// How many wait for something other than an instant.
    aimed: usize,
}

/// Something that faults can be aimed at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occasion<'a> {
    Grant,
    Message(Operation),
    Point(&'a str),
}

impl Armed {
    pub(super) fn new(plan: &FaultPlan) -> Self {
        let armed = |fault: &Fault| match &fault.when {
            Trigger::At(_) => (fault.clone(), 0),
            Trigger::Grant { nth, .. }
            | Trigger::Message { nth, .. }
            | Trigger::Point { nth, .. } => (fault.clone(), (*nth).max(1)),
        };
        let faults: Vec<_> = plan.faults.iter().map(armed).collect();
        let aimed = faults.iter().filter(|(_, left)| *left > 0).count();
        Self { faults, aimed }
    }

    /// The faults that happen at an instant, and when.
    pub(super) fn timed(&self, ttl: Duration) -> Vec<(Duration, usize)> {
        let at = |(place, (fault, _)): (usize, &(Fault, u32))| match fault.when {
            Trigger::At(span) => Some((span.of(ttl), place)),
            _ => None,
        };
        self.faults.iter().enumerate().filter_map(at).collect()
    }

    /// The faults that this occasion brings about.
    fn struck(&mut self, occasion: Occasion<'_>, client: u32) -> Vec<Fault> {
        let mut struck = Vec::new();
        if self.aimed == 0 {
            return struck;
        }
        for (fault, left) in self.faults.iter_mut().filter(|(_, left)| *left > 0) {
            if matches(&fault.when, occasion, client) {
                *left -= 1;
                if *left == 0 {
                    struck.push(fault.clone());
                }
            }
        }
        self.aimed -= struck.len();
        struck
    }
}

fn matches(trigger: &Trigger, occasion: Occasion<'_>, client: u32) -> bool {
    let (of, same) = match (trigger, occasion) {
        (Trigger::Grant { client, .. }, Occasion::Grant) => (client, true),
        (Trigger::Message { operation, client, .. }, Occasion::Message(sent)) => {
            (client, operation.covers(sent))
        }
        (Trigger::Point { name, client, .. }, Occasion::Point(at)) => (client, name == at),
        _ => return false,
    };
    same && of.is_none_or(|of| of == client)
}

impl World {
    /// Something happened to this client: the faults that wait for it happen now. Those that strike a message are returned.
    pub(super) fn occur(
        &self,
        state: &mut State,
        occasion: Occasion<'_>,
        client: u32,
    ) -> Vec<(Leg, Change)> {
        if !state.stormy {
            return Vec::new();
        }
        let mut messages = Vec::new();
        for fault in state.armed.struck(occasion, client) {
            match fault.action {
                Action::Message { leg, change } => {
                    let words: Arc<str> = fault.to_string().into();
                    self.note(state, words, Some(client), Duration::ZERO);
                    messages.push((leg, change));
                }
                _ => self.strike(state, &fault, Some(client)),
            }
        }
        messages
    }

    /// A fault of the plan is due by its time.
    pub(super) fn strike_timed(&self, place: usize) {
        let mut state = self.state();
        if let Some((fault, _)) = state.armed.faults.get(place).cloned() {
            let subject = state.last_granted;
            self.strike(&mut state, &fault, subject);
        }
    }

    /// Does what a fault does. `subject` is the client that it is about.
    fn strike(&self, state: &mut State, fault: &Fault, subject: Option<u32>) {
        let ttl = self.settings.ttl;
        let words: Arc<str> = fault.to_string().into();
        let now = self.now();
        match fault.action {
            Action::Pause { who, span } => {
                for owner in owners(state, who, subject) {
                    self.pause(state, owner, span.of(ttl), &words);
                }
            }
            Action::Crash { who, down } => {
                for client in clients(state, who, subject) {
                    self.crash(state, client, down.map(|down| down.of(ttl)), &words);
                }
            }
            Action::Partition { who, span } => {
                let cut = clients(state, who, subject);
                for client in &cut {
                    if let Some(link) = state.link(*client) {
                        link.cuts += 1;
                    }
                }
                let one = if let [one] = cut[..] { Some(one) } else { None };
                let note = self.note(state, words, one, span.of(ttl));
                state.events.put(now + span.of(ttl), Event::Over(Over::Partition(cut), note));
            }
            // A message that there is not.
            Action::Message { .. } => {}
            Action::Restart { data, down } => {
                let order = if data { None } else { Some(Order::LoseData) };
                self.stop_server(state, order, down.of(ttl), words);
            }
            Action::Failover { lost, down } => {
                self.stop_server(state, Some(Order::FailOver(lost)), down.of(ttl), words);
            }
            Action::Step { who, back, by } => {
                let nanos = i64::try_from(by.of(ttl).as_nanos()).unwrap_or(i64::MAX);
                self.step_clock(state, who, subject, if back { -nanos } else { nanos });
                self.note(state, words, subject.filter(|_| who == Who::Holder), Duration::ZERO);
            }
            Action::Skew { who, ppm } => {
                self.skew_clock(state, who, subject, ppm);
                self.note(state, words, subject.filter(|_| who == Who::Holder), Duration::ZERO);
            }
        }
    }

    /// Pauses whoever runs these tasks.
    pub(super) fn pause(&self, state: &mut State, owner: u32, span: Duration, words: &Arc<str>) {
        let pauses = match state.link(owner) {
            Some(link) => &mut link.pauses,
            None => &mut state.host.pauses,
        };
        *pauses += 1;
        state.orders.push_back(Order::Pause(owner));
        let client = Some(owner).filter(|owner| *owner != SERVER);
        let note = self.note(state, Arc::clone(words), client, span);
        state.events.put(self.now() + span, Event::Over(Over::Pause(owner), note));
    }

    fn crash(&self, state: &mut State, client: u32, down: Option<Duration>, words: &Arc<str>) {
        let now = self.now();
        let epoch = state.host.epoch;
        let Some(link) = state.link(client).filter(|link| link.up) else { return };
        link.up = false;
        link.life += 1;
        link.returns = down.is_some();
        let reachable = link.cuts == 0;
        let at = now.max(link.last_request);
        state.calls.retain(|_, open| open.client != client);
        state.orders.push_back(Order::Kill(client));
        if reachable {
            let at = at + state.latency(self.settings.latency);
            state.events.put(at, Event::Closed { client, epoch });
        }
        let note = self.note(state, Arc::clone(words), Some(client), down.unwrap_or(Duration::MAX));
        if let Some(down) = down {
            state.events.put(now + down, Event::Over(Over::Crash(client), note));
        }
    }

    fn stop_server(
        &self,
        state: &mut State,
        order: Option<Order>,
        down: Duration,
        words: Arc<str>,
    ) {
        let now = self.now();
        state.host.downs += 1;
        state.host.epoch += 1;
        state.orders.push_back(Order::StopServer);
        if order.is_some() {
            state.host.last_data_loss = Some(now);
        }
        state.orders.extend(order);
        let note = self.note(state, words, None, down);
        state.events.put(now + down, Event::Over(Over::Restart, note));
    }

    fn step_clock(&self, state: &mut State, who: Who, subject: Option<u32>, nanos: i64) {
        if who == Who::Server {
            self.server_clock.step(nanos);
            state.host.stepped_ns = state.host.stepped_ns.saturating_add(nanos.unsigned_abs());
            state.host.last_step = Some(self.now());
            // The specification has every lease live for an instant at least; a step by a ttl leaves it none.
            let ttl = i64::try_from(self.settings.ttl.as_nanos()).unwrap_or(i64::MAX);
            if nanos < 0 || nanos >= ttl {
                state.orders.push_back(Order::StopJudging);
            }
        }
        for client in clients(state, who, subject) {
            if let Some(link) = state.link(client) {
                link.wall.step(nanos);
            }
        }
    }

    fn skew_clock(&self, state: &mut State, who: Who, subject: Option<u32>, ppm: i32) {
        if who == Who::Server {
            self.server_clock.run_at(ppm);
            state.host.last_step = Some(self.now());
            state.host.ppm = state.host.ppm.max(ppm.unsigned_abs());
            return;
        }
        for client in clients(state, who, subject) {
            if let Some(link) = state.link(client) {
                link.clock.run_at(ppm);
                link.wall.run_at(ppm);
            }
        }
        let now = self.now();
        for claim in 0..state.claims.len() {
            state.events.put(now, Event::Claim(claim));
        }
    }

    /// Notes a fault for the reports; the number of the note.
    fn note(
        &self,
        state: &mut State,
        words: Arc<str>,
        client: Option<u32>,
        span: Duration,
    ) -> usize {
        let now = self.now();
        state.trace.add(now.as_nanos(), Step::Fault(Arc::clone(&words)));
        let until = (now + span).as_nanos();
        state.notes.push(FaultNote { from_ns: now.as_nanos(), to_ns: until, client, words });
        state.notes.len() - 1
    }

    /// A fault is over.
    pub(super) fn over(&self, over: Over, note: usize) {
        let now = self.now();
        let mut state = self.state();
        let state = &mut *state;
        if let Some(note) = state.notes.get_mut(note) {
            note.to_ns = now.as_nanos();
            state.trace.add(now.as_nanos(), Step::Over(Arc::clone(&note.words)));
        }
        match over {
            Over::Pause(owner) => {
                let pauses = match state.link(owner) {
                    Some(link) => &mut link.pauses,
                    None => &mut state.host.pauses,
                };
                *pauses -= 1;
                if *pauses == 0 {
                    state.orders.push_back(Order::Resume(owner));
                }
            }
            Over::Partition(cut) => {
                for client in cut {
                    if let Some(link) = state.link(client) {
                        link.cuts -= 1;
                    }
                }
            }
            Over::Crash(client) => state.orders.push_back(Order::Begin(client)),
            Over::Restart => state.host.downs -= 1,
        }
    }
}

fn clients(state: &State, who: Who, subject: Option<u32>) -> Vec<u32> {
    let all = u32::try_from(state.links.len()).unwrap_or(u32::MAX);
    match who {
        Who::Holder => subject.into_iter().collect(),
        Who::Client(client) => {
            Some(client).filter(|it| (1..=all).contains(it)).into_iter().collect()
        }
        Who::Clients => (1..=all).collect(),
        Who::Server => Vec::new(),
    }
}

fn owners(state: &State, who: Who, subject: Option<u32>) -> Vec<u32> {
    match who {
        Who::Server => vec![SERVER],
        _ => clients(state, who, subject),
    }
}
