//! The network: messages in order on each connection, unless something goes wrong.

use std::{sync::Arc, time::Duration};

use leasehold::{Clock as _, LeaseId, RevocationListener, Timestamp};

use super::{
    armed::Occasion,
    call::{Call, Cell},
    message::{Answer, Ask, Reply},
    plan::{Change, Leg},
    trace::Step,
    world::{Event, GrantNote, Letter, Open, State, World},
};

impl World {
    /// Sends a request of a client.
    pub(super) fn send(self: &Arc<Self>, client: u32, life: u32, ask: Ask) -> Call {
        let mut state = self.state();
        state.next_call += 1;
        let number = state.next_call;
        let cell = Arc::new(Cell::default());
        let waits = ask.waits();
        let call = Call {
            world: Arc::clone(self),
            number,
            client,
            life,
            waits,
            cell: Arc::clone(&cell),
            done: false,
        };
        if !state.lives(client, life) {
            return call;
        }
        let operation = ask.operation();
        let now = self.now();
        state.trace.add(now.as_nanos(), Step::Sends { client, call: number, operation });
        let ends = match &ask {
            Ask::Release { id, .. } => Some(*id),
            _ => None,
        };
        state.calls.insert(number, Open { client, cell, lost: false, ends });
        let (request, reply) = self.misfortunes(&mut state, client, &ask);
        let epoch = state.host.epoch;
        let letter = Letter { call: number, client, ask, reply, epoch, copy: false };
        self.post(&mut state, letter, &request);
        call
    }

    /// What goes wrong with the two messages of this request; faults that are due at it happen.
    fn misfortunes(&self, state: &mut State, client: u32, ask: &Ask) -> (Vec<Change>, Vec<Change>) {
        let changes = self.occur(state, Occasion::Message(ask.operation()), client);
        let (mut there, mut back) = (Vec::new(), Vec::new());
        for (leg, change) in changes {
            match leg {
                Leg::Request => there.push(change),
                Leg::Reply => back.push(change),
            }
        }
        if state.stormy {
            there.extend(self.settings.storm.change(&mut state.chooser));
            back.extend(self.settings.storm.change(&mut state.chooser));
        }
        (there, back)
    }

    fn post(&self, state: &mut State, letter: Letter, changes: &[Change]) {
        let (now, ttl) = (self.now(), self.settings.ttl);
        let (client, call) = (letter.client, letter.call);
        let mut at = now + state.latency(self.settings.latency);
        let Some(link) = state.link(client) else { return };
        let cut = link.cuts > 0;
        let mut ordered = true;
        let mut again = None;
        let mut lost = cut;
        for change in changes {
            match change {
                Change::Lose => lost = true,
                Change::Delay(span) => at = at + span.of(ttl),
                Change::Reorder(span) => (at, ordered) = (at + span.of(ttl), false),
                Change::Duplicate(span) => again = Some(span.of(ttl)),
            }
        }
        if ordered {
            at = at.max(link.last_request);
            if !lost {
                link.last_request = at;
            }
        }
        if let Some(later) = again.filter(|_| !cut) {
            let copy = Letter { copy: true, ..letter.clone() };
            state.events.put(at + later, Event::Arrive(copy));
        }
        if lost {
            state.lose(now.as_nanos(), call);
        } else {
            state.events.put(at, Event::Arrive(letter));
        }
    }

    /// Sends the server's answer back, to a request that came at the true instant `asked`.
    pub(super) fn answer(&self, letter: &Letter, asked_at: Timestamp, reply: Reply) {
        let now = self.now();
        let ttl = self.settings.ttl;
        let mut state = self.state();
        if let (Some(token), Some(asked)) = (reply.answer.token(), letter.ask.acquires()) {
            let life = state.link(letter.client).map_or(0, |link| link.life);
            let (client, id) = (letter.client, asked.id());
            let note = GrantNote { asked: asked_at, client, life, id, copy: letter.copy };
            for key in asked.keys() {
                state.grants.entry((key.clone(), token)).or_insert(note);
            }
        }
        state.trace.add(now.as_nanos(), Step::Answers { call: letter.call });
        let mut at = now + state.latency(self.settings.latency);
        let Some(link) = state.link(letter.client) else { return };
        let mut lost = link.cuts > 0;
        let mut ordered = true;
        for change in &letter.reply {
            match change {
                Change::Lose => lost = true,
                Change::Delay(span) => at = at + span.of(ttl),
                Change::Reorder(span) => (at, ordered) = (at + span.of(ttl), false),
                // A client that has its reply takes no second one.
                Change::Duplicate(_) => {}
            }
        }
        if ordered {
            at = at.max(link.last_reply);
            if !lost {
                link.last_reply = at;
            }
        }
        if lost {
            state.lose(now.as_nanos(), letter.call);
        } else {
            let (client, call) = (letter.client, letter.call);
            state.events.put(at, Event::Hear { client, call, reply });
        }
    }

    /// The client hears a reply.
    pub(super) fn hear(&self, client: u32, call: u64, reply: Reply) {
        let now = self.now().as_nanos();
        let mut state = self.state();
        if state.link(client).is_none_or(|link| link.cuts > 0) {
            state.lose(now, call);
            return;
        }
        let Some(open) = state.calls.remove(&call) else { return };
        let token = reply.answer.token();
        let step = Step::Hears { client, call, token: token.map(leasehold::FencingToken::get) };
        state.trace.add(now, step);
        if token.is_some() {
            state.last_granted = Some(client);
            let _no_message = self.occur(&mut state, Occasion::Grant, client);
        }
        for claim in state.claims.take_resting(client) {
            state.events.put(self.now(), Event::Claim(claim));
        }
        drop(state);
        open.cell.fill(reply);
    }

    /// A caller does not want its answer any more.
    pub(super) fn hang_up(&self, call: u64, client: u32, life: u32, waits: bool) {
        let now = self.now();
        let mut state = self.state();
        let dropped = state.calls.remove(&call);
        if let Some(open) = &dropped {
            state.lost_releases.extend(open.ends);
        }
        if waits && dropped.is_some() && state.lives(client, life) {
            let at = now + state.latency(self.settings.latency);
            let epoch = state.host.epoch;
            if let Some(link) = state.link(client).filter(|link| link.cuts == 0) {
                let at = at.max(link.last_request);
                link.last_request = at;
                state.events.put(at, Event::Gone { client, call, epoch });
            }
        }
        drop(state);
        drop(dropped);
    }

    /// The connection of these calls broke, and their callers know.
    pub(super) fn break_calls(&self, which: impl Fn(&Open) -> bool) {
        let now = self.now().as_nanos();
        let mut state = self.state();
        let broken = state.calls.iter().filter(|(_, open)| which(open));
        let broken: Vec<_> = broken.map(|(call, _)| *call).collect();
        let mut told = Vec::new();
        for call in broken {
            if let Some(open) = state.calls.remove(&call) {
                state.lost_releases.extend(open.ends);
                state.trace.add(now, Step::Broken { call });
                told.push(open);
            }
        }
        drop(state);
        for open in told {
            let came = self.server_clock.now();
            open.cell.fill(Reply { answer: Answer::Broken, came });
        }
    }
}

impl State {
    /// Whether this life of the client goes on.
    pub(super) fn lives(&mut self, client: u32, life: u32) -> bool {
        self.link(client).is_some_and(|link| link.up && link.life == life)
    }

    /// A message of this call does not arrive.
    pub(super) fn lose(&mut self, now: u64, call: u64) {
        self.trace.add(now, Step::Lost { call });
        if let Some(open) = self.calls.get_mut(&call) {
            open.lost = true;
            self.lost_releases.extend(open.ends);
        }
    }
}

/// Tells every client of a revocation, over the network.
#[derive(Debug)]
pub(super) struct Push(pub(super) std::sync::Weak<World>);

impl RevocationListener for Push {
    fn revoked(&self, id: LeaseId) {
        let Some(world) = self.0.upgrade() else { return };
        let now = world.now();
        let mut state = world.state();
        let keys: Vec<_> = state
            .grants
            .iter()
            .filter(|(_, note)| note.id == id)
            .map(|((key, _), _)| key.clone())
            .collect();
        for key in keys {
            state.claims.revoked.insert(key, now);
        }
        for client in (1..).take(state.links.len()) {
            let at = now + state.latency(world.settings.latency);
            let Some(link) = state.link(client).filter(|link| link.cuts == 0) else { continue };
            let at = at.max(link.last_reply);
            link.last_reply = at;
            state.events.put(at, Event::Revoked { client, id });
        }
    }
    /// Who is told of a step is told in its own time; a simulated server knows no client's, and says nothing.
    fn clock_stepped(&self, _by: Duration, _seen: Timestamp) {}
}
