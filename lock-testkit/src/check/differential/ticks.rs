//! Lock histories as operations of a [`Model`], so that the general checker can judge them.
//!
//! The state carries the instant, and each operation is tried at each instant of its window: good for a
//! few nanoseconds only. Invocations and returns are operations of no width, because who waits
//! depends on them.

use crate::check::brute::{Node, Rules, What};
use crate::check::linear::{Moment, Recorded};
use crate::model::{Model, Window};

/// The model.
#[derive(Debug)]
pub(super) struct Ticks<'a> {
    rules: &'a Rules<'a>,
    last_ns: u64,
}

/// One step of a lock history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// An event passes.
    Pass(What, usize),
    /// What an outcome tells.
    Tell(usize),
    /// What no outcome tells.
    Unseen(usize),
}

/// The operations that stand for a history.
pub(super) fn recorded(rules: &Rules<'_>) -> Vec<Recorded<Tick, ()>> {
    let mut made = Vec::new();
    let mut add = |op, ret, from: (usize, u64), to: Option<(usize, u64)>| {
        let moment = |(index, at_ns)| Moment { index, at_ns };
        made.push(Recorded { op, ret, invoked: moment(from), closed: to.map(moment) });
    };
    for (place, &(at, number, what)) in rules.events.iter().enumerate() {
        let at_ns = u64::try_from(at).unwrap_or(0);
        let index = place * 8;
        add(Tick::Pass(what, number), Some(()), (index + 4, at_ns), Some((index + 5, at_ns)));
        if what != What::Invoked {
            continue;
        }
        let mut rest = rules.events.iter().enumerate().skip(place);
        let closed = rest.find(|(_, event)| (event.1, event.2) == (number, What::Closed));
        let to = |slot: usize| {
            closed.map(|(place, event)| (place * 8 + slot, u64::try_from(event.0).unwrap_or(0)))
        };
        let op = &rules.history.operations()[number];
        if !op.is_unknown() && !op.is_void() {
            add(Tick::Tell(number), Some(()), (index + 6, at_ns), to(0));
        }
        if op.is_unknown() || op.call.waits() {
            add(Tick::Unseen(number), None, (index + 7, at_ns), to(1));
            add(Tick::Unseen(number), None, (index + 7, at_ns), to(2));
        }
    }
    made
}

impl<'a> Ticks<'a> {
    pub(super) fn new(rules: &'a Rules<'a>) -> Self {
        let last = rules.events.last().map_or(0, |event| event.0);
        Self { rules, last_ns: u64::try_from(last).unwrap_or(0) }
    }

    fn at(&self, node: &Node, op: Tick, next: &mut Vec<Node>) {
        match op {
            Tick::Pass(what, number) => next.extend(self.rules.pass(node, node.now, number, what)),
            Tick::Tell(number) | Tick::Unseen(number) => {
                let tells = matches!(op, Tick::Tell(_));
                let made = self.rules.steps_of(node, number).into_iter();
                let fits = |next: &Node| (next.done[number] != node.done[number]) == tells;
                next.extend(made.filter(fits));
            }
        }
    }
}

impl Model for Ticks<'_> {
    type State = Node;
    type Op = Tick;
    type Ret = ();
    type Part = ();

    fn init(&self) -> Node {
        Node::first(self.rules.history.len())
    }

    fn step(
        &self,
        state: &Node,
        op: &Tick,
        _ret: Option<&()>,
        window: Window,
        next: &mut Vec<Node>,
    ) {
        let now = u64::try_from(state.now).unwrap_or(0);
        for instant in now.max(window.from_ns)..=window.to_ns.min(self.last_ns) {
            let instant = i64::try_from(instant).unwrap_or(0);
            for node in state.at(instant) {
                self.at(&node, *op, next);
            }
        }
        next.sort();
        next.dedup();
    }

    fn part(&self, _op: &Tick) {}
}
