//! What was asked and answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{check::linear::Moment, sim::Node};

/// An operation of a client on the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called<Op, Out> {
    /// Who asked, from 1.
    pub client: u32,
    /// What was asked.
    pub op: Op,
    /// What was answered; `None` if the service could not tell, or the client did not live to hear it.
    pub out: Option<Out>,
    /// When it was asked, in true time.
    pub from: Moment,
    /// When it was answered; `None` if it was not.
    pub to: Option<Moment>,
}

/// What the clients have to do, and what they did.
#[derive(Debug)]
pub(super) struct Ledger<Op, Out>(Mutex<State<Op, Out>>);

#[derive(Debug)]
struct State<Op, Out> {
    left: Vec<std::vec::IntoIter<Op>>,
    calls: Vec<Called<Op, Out>>,
    events: usize,
}

impl<Op: Clone, Out> Ledger<Op, Out> {
    /// `programs` has the operations of each client.
    pub(super) fn new(programs: &[Vec<Op>]) -> Self {
        let left = programs.iter().map(|program| program.clone().into_iter()).collect();
        Self(Mutex::new(State { left, calls: Vec::new(), events: 0 }))
    }

    /// The client begins its next operation: its number, and the operation.
    pub(super) fn begin(&self, node: &Node) -> Option<(usize, Op)> {
        let mut state = self.state();
        let client = node.number();
        let place = usize::try_from(client).ok()?.checked_sub(1)?;
        let op = state.left.get_mut(place)?.next()?;
        let from = state.moment(node);
        state.calls.push(Called { client, op: op.clone(), out: None, from, to: None });
        Some((state.calls.len() - 1, op))
    }

    /// The operation of this number was answered.
    pub(super) fn end(&self, number: usize, out: Option<Out>, node: &Node) {
        let mut state = self.state();
        let to = state.moment(node);
        if let Some(call) = state.calls.get_mut(number) {
            (call.out, call.to) = (out, Some(to));
        }
    }

    /// What was done, in the order in which it was asked.
    pub(super) fn take(&self) -> Vec<Called<Op, Out>> {
        std::mem::take(&mut self.state().calls)
    }

    fn state(&self) -> MutexGuard<'_, State<Op, Out>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Op, Out> State<Op, Out> {
    fn moment(&mut self, node: &Node) -> Moment {
        self.events += 1;
        Moment { index: self.events - 1, at_ns: node.true_time().as_nanos() }
    }
}
