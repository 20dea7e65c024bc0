//! Lock histories as operations of a [`Model`], so that the general checker can judge them.
//!
//! The state carries the instant, and each operation is tried at each instant of its window: good for a
//! few nanoseconds only. Invocations and returns are operations of no width, because who waits
//! depends on them.

use std::collections::BTreeSet;

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
        if !rules.roams(number) && (op.is_unknown() || op.call.waits()) {
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

    /// What waiters may do at an instant without an answer, over and over.
    fn roamed(&self, mut nodes: BTreeSet<Node>, roamers: &[usize]) -> BTreeSet<Node> {
        let mut new: Vec<Node> =
            if roamers.is_empty() { Vec::new() } else { nodes.iter().cloned().collect() };
        while let Some(node) = new.pop() {
            for &number in roamers {
                let made = self.rules.steps_of(&node, number).into_iter();
                for next in made.filter(|next| next.done[number] == node.done[number]) {
                    if nodes.insert(next.clone()) {
                        new.push(next);
                    }
                }
            }
        }
        nodes
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

fn time(at_ns: u64) -> i64 {
    i64::try_from(at_ns).unwrap_or(i64::MAX)
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
        let (first, last) = (time(window.from_ns), time(window.to_ns.min(self.last_ns)));
        // Nobody was asked to roam: it happens on the way to the instant of the step.
        let roamers =
            (0..self.rules.history.len()).filter(|op| state.open[*op] && self.rules.roams(*op));
        let roamers: Vec<usize> = roamers.collect();
        let start = if roamers.is_empty() { state.now.max(first) } else { state.now };
        let mut here: BTreeSet<Node> = BTreeSet::from([state.clone()]);
        for instant in start..=last {
            let arrived: BTreeSet<Node> = here.iter().flat_map(|node| node.at(instant)).collect();
            here = self.roamed(arrived, &roamers);
            if instant >= first {
                here.iter().for_each(|node| self.at(node, *op, next));
            }
        }
        next.sort();
        next.dedup();
    }

    fn part(&self, _op: &Tick) {}
}
