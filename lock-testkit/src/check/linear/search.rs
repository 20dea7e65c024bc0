//! The search over one part, in turns.

mod candidates;

use std::hash::{BuildHasher, Hasher};

use super::order::{Event, Order};
use super::seen::Seen;
use super::{Recorded, Refuted};
use crate::check::hash::{FixedHasher, FixedState};
use crate::model::{Model, Window};

/// How far a turn got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Explained,
    Refuted,
    Running,
}

/// A node of the search: a state, and what is left to try from it.
#[derive(Debug)]
struct Frame<S> {
    state: S,
    /// How many operations were done on entering (the trail is cut back to it on leaving).
    trail: usize,
    /// The least instant of the next operation: the latest invocation done so far.
    from_ns: u64,
    /// Where its candidates begin: they lie on the stack of all candidates.
    candidates: usize,
    /// States after the candidate at hand that were not tried yet.
    alternatives: Vec<S>,
    candidate: usize,
    /// The first closing among the events to explain: no later invocation may go before it.
    first_closed: Option<usize>,
}

/// The search over the operations of one part.
#[derive(Debug)]
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    history: &'a [Recorded<M::Op, M::Ret>],
    /// Indices into the history.
    ops: Vec<usize>,
    order: Order,
    pure: Vec<bool>,
    /// Operations with an outcome that have no place yet.
    owed: usize,
    /// A random number for each operation; those of the operations done make `done_hash`.
    marks: Vec<u64>,
    done: Vec<u64>,
    done_hash: u64,
    /// The operations done, in order.
    trail: Vec<usize>,
    frames: Vec<Frame<M::State>>,
    /// The candidates not tried yet of all frames; the last is the next.
    candidates: Vec<usize>,
    /// Emptied alternatives of frames that were left, to be used again.
    spare: Vec<Vec<M::State>>,
    seen: Seen<M::State>,
    explored: u64,
    longest: Vec<usize>,
    stuck: Option<(usize, M::State)>,
}

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(
        model: &'a M,
        history: &'a [Recorded<M::Op, M::Ret>],
        ops: Vec<usize>,
    ) -> Self {
        let mut events = Vec::with_capacity(2 * ops.len());
        for (number, index) in ops.iter().enumerate() {
            let recorded = &history[*index];
            events.push((recorded.invoked.index, Event::Invoked(number)));
            events.extend(recorded.closed.map(|at| (at.index, Event::Closed(number))));
        }
        events.sort_by_key(|(index, _)| *index);
        let events: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
        let is_pure = |index: &usize| {
            let recorded = &history[*index];
            recorded.ret.as_ref().is_some_and(|ret| model.is_pure(&recorded.op, ret))
        };
        let owed = ops.iter().filter(|index| history[**index].ret.is_some()).count();
        Self {
            model,
            history,
            order: Order::new(&events, ops.len()),
            pure: ops.iter().map(is_pure).collect(),
            owed,
            marks: (0..ops.len()).map(mark).collect(),
            done: vec![0; ops.len().div_ceil(64)],
            done_hash: 0,
            trail: Vec::with_capacity(ops.len()),
            frames: Vec::new(),
            candidates: Vec::new(),
            spare: Vec::new(),
            seen: Seen::new(ops.len().div_ceil(64)),
            explored: 0,
            longest: Vec::new(),
            stuck: None,
            ops,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ops.len()
    }

    pub(super) fn explored(&self) -> u64 {
        self.explored
    }

    /// The refutation, once there is one.
    pub(super) fn refuted(&self, part: String) -> Refuted {
        let (op, state) = match &self.stuck {
            Some((op, state)) => (self.ops[*op], format!("{state:?}")),
            None => (self.ops.first().copied().unwrap_or(0), format!("{:?}", self.model.init())),
        };
        let explained = self.longest.iter().map(|op| self.ops[*op]).collect();
        Refuted { part, op, explained, state }
    }

    /// Searches until there is an answer, or `budget` more configurations were visited.
    pub(super) fn run(&mut self, budget: u64) -> Progress {
        let until = self.explored.saturating_add(budget);
        if self.explored == 0 && self.enter(self.model.init(), 0) {
            return Progress::Explained;
        }
        while self.explored < until {
            let Some((candidate, state, from_ns)) = self.next_move() else {
                if !self.leave() {
                    return Progress::Refuted;
                }
                continue;
            };
            self.take(candidate);
            if self.enter(state, from_ns) {
                return Progress::Explained;
            }
        }
        Progress::Running
    }

    /// Enters a configuration; true if everything is explained there.
    fn enter(&mut self, state: M::State, from_ns: u64) -> bool {
        self.explored += 1;
        let trail = self.trail.len();
        let (from_ns, first_closed) = self.take_pure(&state, from_ns);
        if self.owed == 0 {
            return true;
        }
        let candidates = self.candidates.len();
        if self.is_new(&state) {
            self.gather(first_closed);
        }
        let alternatives = self.spare.pop().unwrap_or_default();
        let candidate = usize::MAX;
        self.frames.push(Frame {
            state,
            trail,
            from_ns,
            candidates,
            alternatives,
            candidate,
            first_closed,
        });
        false
    }

    /// Goes back to the configuration before; false if there is none.
    fn leave(&mut self) -> bool {
        let Some(frame) = self.frames.pop() else {
            return false;
        };
        self.spare.push(frame.alternatives);
        if self.trail.len() > self.longest.len() || self.stuck.is_none() {
            self.longest.clone_from(&self.trail);
            self.stuck = frame.first_closed.map(|op| (op, frame.state));
        }
        while self.trail.len() > frame.trail {
            self.untake();
        }
        if self.frames.is_empty() {
            return false;
        }
        self.untake();
        true
    }

    /// The next candidate of the configuration at hand, with the state after it.
    fn next_move(&mut self) -> Option<(usize, M::State, u64)> {
        loop {
            let frame = self.frames.last_mut()?;
            if let Some(state) = frame.alternatives.pop() {
                let candidate = frame.candidate;
                let invoked = self.history[self.ops[candidate]].invoked.at_ns;
                return Some((candidate, state, frame.from_ns.max(invoked)));
            }
            if self.candidates.len() == frame.candidates {
                return None;
            }
            let op = self.candidates.pop()?;
            self.try_candidate(op);
        }
    }

    /// Takes pure operations as long as one fits; the least instant of the next operation then, and the
    /// operation that closes first.
    fn take_pure(&mut self, state: &M::State, mut from_ns: u64) -> (u64, Option<usize>) {
        let mut next = Vec::new();
        loop {
            let closed = self.first_closed();
            let before = from_ns;
            let mut event = self.order.first();
            while let Some((place, Event::Invoked(op))) = event {
                event = self.order.after(place);
                if !self.pure[op] {
                    continue;
                }
                let recorded = &self.history[self.ops[op]];
                let window = self.window(op, from_ns, closed);
                self.model.step(state, &recorded.op, recorded.ret.as_ref(), window, &mut next);
                if let Some(after) = next.pop() {
                    debug_assert!(
                        next.is_empty() && after == *state,
                        "{:?} is not pure",
                        recorded.op
                    );
                    next.clear();
                    from_ns = from_ns.max(recorded.invoked.at_ns);
                    self.take(op);
                }
            }
            // Nothing else could fit now: the state is the same.
            if from_ns == before && !closed.is_some_and(|op| self.is_done(op)) {
                return (from_ns, closed);
            }
        }
    }

    fn window(&self, op: usize, from_ns: u64, first_closed: Option<usize>) -> Window {
        let recorded = &self.history[self.ops[op]];
        let closed = |op: usize| self.history[self.ops[op]].closed.map_or(u64::MAX, |at| at.at_ns);
        let to_ns = first_closed.map_or(u64::MAX, closed).min(closed(op));
        Window { from_ns: from_ns.max(recorded.invoked.at_ns), to_ns }
    }

    /// The operation of the first closing among the events to explain.
    fn first_closed(&self) -> Option<usize> {
        let mut event = self.order.first();
        while let Some((place, what)) = event {
            if let Event::Closed(op) = what {
                return Some(op);
            }
            event = self.order.after(place);
        }
        None
    }

    fn take(&mut self, op: usize) {
        self.flip(op);
        self.owed -= usize::from(self.history[self.ops[op]].ret.is_some());
        self.trail.push(op);
        self.order.lift(op);
    }

    fn untake(&mut self) {
        let Some(op) = self.trail.pop() else { return };
        self.order.unlift(op);
        self.owed += usize::from(self.history[self.ops[op]].ret.is_some());
        self.flip(op);
    }

    fn is_done(&self, op: usize) -> bool {
        self.done[op / 64] & (1 << (op % 64)) != 0
    }

    fn flip(&mut self, op: usize) {
        self.done[op / 64] ^= 1 << (op % 64);
        self.done_hash ^= self.marks[op];
    }

    /// Whether this pair of done operations and state was not visited before.
    fn is_new(&mut self, state: &M::State) -> bool {
        let mut hasher = FixedHasher::default();
        hasher.write_u64(self.done_hash);
        hasher.write_u64(FixedState::default().hash_one(state));
        self.seen.insert(hasher.finish(), &self.done, state)
    }
}

fn mark(op: usize) -> u64 {
    let mut hasher = FixedHasher::default();
    hasher.write_usize(op + 1);
    hasher.write_usize(op ^ 0x5555);
    hasher.finish()
}
