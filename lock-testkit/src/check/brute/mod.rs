//! Every order and every instant: the definition, executed.
//!
//! At each instant between two events, each open operation may take effect, and everything is tried,
//! without any cleverness but to not try the same twice. Only for histories of a few operations within a few
//! nanoseconds; it is what the other two checkers are compared with.

mod rules;

use std::collections::BTreeSet;

pub(super) use self::rules::{Node, Rules, What};
use super::lock::Options;
use crate::history::History;

/// Whether the specification allows the history; `None` if `limits.explored` steps did not suffice.
#[must_use]
pub fn allows(history: &History, options: &Options) -> Option<bool> {
    let rules = Rules::new(history, options);
    let limit = options.limits.explored;
    let mut search = Brute { rules: &rules, failed: BTreeSet::new(), limit, steps: 0 };
    let found = search.from(&Node::first(history.len()), 0);
    if found { Some(true) } else { (search.steps <= options.limits.explored).then_some(false) }
}

struct Brute<'a> {
    rules: &'a Rules<'a>,
    failed: BTreeSet<(usize, Node)>,
    limit: u64,
    steps: u64,
}

impl Brute<'_> {
    /// Whether the history can go on from here.
    fn from(&mut self, node: &Node, place: usize) -> bool {
        let Some(&(at, number, what)) = self.rules.events.get(place) else {
            return true;
        };
        self.steps += 1;
        if self.steps > self.limit || !self.failed.insert((place, node.clone())) {
            return false;
        }
        for next in self.rules.pass(node, at, number, what) {
            if self.from(&next, place + 1) {
                return true;
            }
        }
        for tau in node.now..=at {
            for here in node.at(tau) {
                for op in (0..self.rules.history.len()).filter(|op| here.open[*op]) {
                    for next in self.rules.steps_of(&here, op) {
                        if self.from(&next, place) {
                            return true;
                        }
                    }
                }
            }
        }
        false
    }
}
