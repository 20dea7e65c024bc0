//! What can happen in a history, one step at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::lock::Options;
use crate::check::places::joined;
use crate::history::{Call, HeldReason, History, LeaseRequest, Operation, Outcome};
use crate::model::lock::{LockModel, LockState, QueueView, Took};

/// What happens at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) enum What {
    Invoked,
    Enqueued,
    Closed,
}

/// Where a search stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::check) struct Node {
    pub(in crate::check) state: LockState,
    pub(in crate::check) now: i64,
    pub(in crate::check) open: Vec<bool>,
    enqueued: Vec<bool>,
    /// Took effect, or was observed.
    pub(in crate::check) done: Vec<bool>,
    /// An unseen grant happened, or it gave up.
    used: Vec<bool>,
    /// Waiting acquires that were granted before, and lost it.
    ghosts: Vec<bool>,
    /// Leases from unseen grants, by key and name, with the operation that got them.
    by: BTreeMap<(Arc<str>, Arc<str>), usize>,
}

impl Node {
    pub(in crate::check) fn first(count: usize) -> Self {
        Self {
            state: LockState::default(),
            now: 0,
            open: vec![false; count],
            enqueued: vec![false; count],
            done: vec![false; count],
            used: vec![false; count],
            ghosts: vec![false; count],
            by: BTreeMap::new(),
        }
    }

    /// Every way in which the clock may stand at an instant.
    pub(in crate::check) fn at(&self, now: i64) -> impl Iterator<Item = Self> {
        self.state.at(now).into_iter().map(move |state| Self { state, now, ..self.clone() })
    }
}

/// What can happen in a history, one step at a time.
#[derive(Debug)]
pub(in crate::check) struct Rules<'a> {
    pub(in crate::check) history: &'a History,
    model: LockModel,
    pub(in crate::check) events: Vec<(i64, usize, What)>,
    /// Tokens that answers show.
    tokens: Vec<Option<u64>>,
    quarantined: bool,
    joined: Vec<bool>,
}

impl<'a> Rules<'a> {
    pub(in crate::check) fn new(history: &'a History, options: &Options) -> Self {
        let mut events = Vec::new();
        let mut tokens = vec![None];
        let mut quarantined = false;
        for (number, op) in history.operations().iter().enumerate() {
            events.push((op.invoked, number, What::Invoked));
            events.extend(op.enqueued.map(|stamp| (stamp, number, What::Enqueued)));
            events.extend(op.closed().map(|stamp| (stamp, number, What::Closed)));
            match op.outcome() {
                Some(Outcome::Granted { token, .. }) => tokens.push(Some(*token)),
                Some(Outcome::State { leases, .. }) => {
                    tokens.extend(leases.iter().map(|view| Some(view.token)));
                }
                Some(Outcome::Held { reason: HeldReason::Quarantine }) => quarantined = true,
                _ => {}
            }
        }
        events.sort_by_key(|(stamp, _, _)| stamp.index);
        let events = events
            .into_iter()
            .map(|(stamp, op, what)| (i64::try_from(stamp.at_ns).unwrap_or(i64::MAX), op, what));
        tokens.sort_unstable();
        tokens.dedup();
        Self {
            history,
            model: LockModel { slack: options.slack, policy: options.policy },
            events: events.collect(),
            tokens,
            quarantined,
            joined: joined(history),
        }
    }

    /// Over an event, if it may happen now.
    pub(in crate::check) fn pass(
        &self,
        node: &Node,
        at: i64,
        number: usize,
        what: What,
    ) -> Vec<Node> {
        let op = &self.history.operations()[number];
        let mut next = Node { now: at, ..node.clone() };
        match what {
            What::Invoked => next.open[number] = true,
            What::Enqueued => next.enqueued[number] = true,
            What::Closed => {
                if !op.is_unknown() && !op.is_void() && !node.done[number] {
                    return Vec::new();
                }
                next.open[number] = false;
                if op.is_void() {
                    // What it was granted may have run out by now.
                    let over = next.at(at).filter(|next| !holds_unseen(next, number));
                    return over
                        .map(|mut next| {
                            next.by.retain(|_, op| *op != number);
                            next
                        })
                        .collect();
                }
                if let (Some(Outcome::TimedOut), Some(request)) = (op.outcome(), op.call.request())
                {
                    return left(&next, number, request);
                }
                next.by.retain(|_, op| *op != number);
            }
        }
        vec![next]
    }

    /// Everything that one open operation can do at this instant.
    pub(in crate::check) fn steps_of(&self, node: &Node, number: usize) -> Vec<Node> {
        let op = &self.history.operations()[number];
        let queue = self.queue(node, number);
        let mut made = Vec::new();
        if self.roams(number) {
            self.roaming(node, number, queue, &mut made);
        }
        match (op.outcome(), &op.call) {
            _ if op.is_void() => {}
            (Some(Outcome::TimedOut), _) => {
                self.evidence(node, number, queue, &mut made);
                self.unseen(node, number, queue, &mut made);
            }
            _ if op.is_unknown() => match &op.call {
                Call::TryAcquire(_) | Call::Acquire { .. } => {
                    self.unseen(node, number, queue, &mut made);
                }
                Call::Inspect { .. } => {}
                call if !node.used[number] => {
                    let states =
                        self.model.step(&node.state, node.now, call, Took::Effect(None), queue);
                    let mut taken = node.clone();
                    taken.used[number] = true;
                    made.extend(states.into_iter().map(|state| Node { state, ..taken.clone() }));
                }
                _ => {}
            },
            (Some(outcome), call) if !node.done[number] => {
                let states =
                    self.model.step(&node.state, node.now, call, Took::Outcome(outcome), queue);
                let mut taken = node.clone();
                taken.done[number] = true;
                if let (Outcome::Granted { .. }, Some(request)) = (outcome, call.request())
                    && node.state.held(&request.keys[0], &request.lease).is_none()
                {
                    taken.by.retain(|(key, lease), _| {
                        *lease != request.lease || !request.keys.contains(key)
                    });
                }
                made.extend(states.into_iter().map(|state| Node { state, ..taken.clone() }));
            }
            _ => {}
        }
        made
    }

    /// A timed-out acquire was refused, or needs not have been.
    fn evidence(&self, node: &Node, number: usize, queue: QueueView, made: &mut Vec<Node>) {
        let op = &self.history.operations()[number];
        if node.done[number] {
            return;
        }
        let late = matches!(&op.call, Call::Acquire { deadline_ns, .. } if *deadline_ns <= op.invoked.at_ns);
        let took = Took::Outcome(&Outcome::TimedOut);
        let refused = || !self.model.step(&node.state, node.now, &op.call, took, queue).is_empty();
        if late || self.quarantined || node.used[number] || node.ghosts[number] || refused() {
            let mut next = node.clone();
            next.done[number] = true;
            made.push(next);
        }
    }

    /// Whether an acquire may lose grants before it answers, and extend what it answers: one that waits on a server.
    pub(in crate::check) fn roams(&self, number: usize) -> bool {
        self.history.operations()[number].call.waits() && !self.model.slack.is_exact()
    }

    /// Grants before the one that is answered, and refreshes before the answer.
    fn roaming(&self, node: &Node, number: usize, queue: QueueView, made: &mut Vec<Node>) {
        let op = &self.history.operations()[number];
        let Some(mut request) = op.call.request().cloned() else { return };
        let own = match op.outcome() {
            Some(Outcome::Granted { token, ttl_ns }) => {
                request.ttl_ns = *ttl_ns;
                Some(*token)
            }
            _ => None,
        };
        let granted = own.is_some() && node.done[number];
        if !granted && !node.used[number] {
            let mut ghost = node.clone();
            ghost.ghosts[number] = true;
            for key in &request.keys {
                ghost.by.insert((Arc::clone(key), Arc::clone(&request.lease)), number);
            }
            for token in self.tokens.iter().filter(|token| own.is_none() || **token != own) {
                for state in self.model.grant(&node.state, node.now, &request, *token, queue) {
                    made.push(Node { state, ..ghost.clone() });
                }
            }
        }
        let looks = granted || holds_unseen(node, number) || op.is_unknown() && !node.used[number];
        if looks && node.state.held(&request.keys[0], &request.lease).is_some() {
            for token in self.tokens.iter().filter(|token| !granted || **token == own) {
                let call = Call::TryAcquire(request.clone());
                let took = Took::Effect(*token);
                for state in self.model.step(&node.state, node.now, &call, took, queue) {
                    made.push(Node { state, ..node.clone() });
                }
            }
        }
    }

    /// Grants and refreshes that no answer tells, and giving up.
    fn unseen(&self, node: &Node, number: usize, queue: QueueView, made: &mut Vec<Node>) {
        let op = &self.history.operations()[number];
        let Some(request) = op.call.request() else {
            return;
        };
        let mut taken = node.clone();
        taken.used[number] = true;
        if !node.used[number] && !self.roams(number) {
            let mut granted = taken.clone();
            for key in &request.keys {
                granted.by.insert((Arc::clone(key), Arc::clone(&request.lease)), number);
            }
            for token in &self.tokens {
                for state in self.model.grant(&node.state, node.now, request, *token, queue) {
                    made.push(Node { state, ..granted.clone() });
                }
                if op.is_unknown() && node.state.held(&request.keys[0], &request.lease).is_some() {
                    let took = Took::Effect(*token);
                    for state in self.model.step(&node.state, node.now, &op.call, took, queue) {
                        made.push(Node { state, ..taken.clone() });
                    }
                }
            }
        }
        let may_leave = !node.used[number] && (op.is_unknown() || node.done[number]);
        if may_leave || holds_unseen(node, number) {
            for state in self.model.leave(&node.state, node.now, request) {
                made.push(Node { state, ..taken.clone() });
            }
        }
    }

    fn queue(&self, node: &Node, number: usize) -> QueueView {
        let ops = self.history.operations();
        let me = &ops[number];
        let mut view = QueueView::default();
        let mut waiting = BTreeSet::new();
        for (other, op) in ops.iter().enumerate() {
            let shares = op.call.keys().iter().any(|key| me.call.keys().contains(key));
            if other == number || !node.open[other] || !op.call.waits() || !shares {
                continue;
            }
            let granted = matches!(op.outcome(), Some(Outcome::Granted { .. }));
            let dead = self.model.policy.tombstones
                && op.call.request().is_some_and(|request| node.state.is_dead(request));
            let over = dead
                || node.used[other]
                || holds_unseen(node, other)
                || granted && node.done[other];
            if !over {
                view.possible += 1;
            }
            if granted && node.enqueued[other] && !node.done[other] && !node.ghosts[other] {
                waiting.extend(op.call.lease().filter(|lease| !held(node, op, lease)));
                view.ahead |=
                    self.model.policy.fifo && !self.joined[number] && enqueued_before(op, me);
            }
        }
        // An id has one place in the queue, and none once it is granted.
        view.certain = waiting.len();
        view
    }
}

fn held(node: &Node, op: &Operation, lease: &Arc<str>) -> bool {
    op.call.keys().iter().any(|key| node.state.held(key, lease).is_some())
}

fn enqueued_before(op: &Operation, me: &Operation) -> bool {
    op.enqueued.is_some_and(|stamp| stamp.index < me.invoked.index)
}

/// A timed-out acquire returns: it holds nothing any more, and its id is dead.
fn left(node: &Node, number: usize, request: &LeaseRequest) -> Vec<Node> {
    let mut made = Vec::new();
    for mut next in node.at(node.now) {
        if !holds_unseen(&next, number) {
            let name = |key: &Arc<str>| (Arc::clone(key), Arc::clone(&request.lease));
            next.state.dead.extend(request.keys.iter().map(name));
            next.by.retain(|_, op| *op != number);
            made.push(next);
        }
    }
    made
}

/// Whether a lease that came from an unseen grant to this operation is still usable.
fn holds_unseen(node: &Node, number: usize) -> bool {
    node.by.iter().any(|((key, lease), by)| *by == number && node.state.held(key, lease).is_some())
}
