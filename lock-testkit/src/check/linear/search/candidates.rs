//! Which operations are worth trying next, and what they lead to.

use super::Search;
use crate::check::linear::order::Event;
use crate::model::Model;

impl<M: Model> Search<'_, M> {
    /// Puts the operations to try next onto the stack, the one invoked first on top.
    ///
    /// Whatever explains the rest takes the operation that closes first before anything invoked later.
    /// So the first operation in it of those that do not commute with that one (or with one of them,
    /// and so on) commutes with all before it, and may as well come at once: no other need be tried.
    pub(super) fn gather(&mut self, first_closed: Option<usize>) {
        let start = self.candidates.len();
        let mut event = self.order.first();
        while let Some((place, Event::Invoked(op))) = event {
            self.candidates.push(op);
            event = self.order.after(place);
        }
        if let Some(first_closed) = first_closed {
            self.keep_bound(start, first_closed);
        }
        let (pure, candidates) = (&self.pure, &mut self.candidates);
        let mut kept = start;
        for index in start..candidates.len() {
            if !pure[candidates[index]] {
                candidates[kept] = candidates[index];
                kept += 1;
            }
        }
        candidates.truncate(kept);
        candidates[start..].reverse();
    }

    /// Keeps of the candidates from `start` on those bound to `first`, directly or by others.
    fn keep_bound(&mut self, start: usize, first: usize) {
        let place = self.candidates[start..].iter().position(|op| *op == first).unwrap_or(0);
        self.candidates.swap(start, start + place);
        let (mut next, mut kept) = (start, start + 1);
        while next < kept {
            let rest = kept;
            for index in rest..self.candidates.len() {
                if self.binds(self.candidates[next], self.candidates[index]) {
                    self.candidates.swap(kept, index);
                    kept += 1;
                }
            }
            next += 1;
        }
        self.candidates.truncate(kept);
        self.candidates[start..].sort_unstable();
    }

    /// Whether it matters which of two operations is first.
    fn binds(&self, one: usize, other: usize) -> bool {
        let [one, other] = [one, other].map(|op| &self.history[self.ops[op]].op);
        !self.model.commute(one, other)
    }

    /// Fills the alternatives with the states after one candidate.
    pub(super) fn try_candidate(&mut self, op: usize) {
        if self.is_covered(op) {
            return;
        }
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        let recorded = &self.history[self.ops[op]];
        let window = self.window(op, frame.from_ns, frame.first_closed);
        let next = &mut frame.alternatives;
        self.model.step(&frame.state, &recorded.op, recorded.ret.as_ref(), window, next);
        if recorded.ret.is_none() {
            next.retain(|state| *state != frame.state);
            if frame.first_closed == Some(op) {
                next.push(frame.state.clone());
            }
        }
        frame.candidate = op;
        self.frames.push(frame);
    }

    /// Whether an earlier unknown operation does the same and is still unused.
    fn is_covered(&self, op: usize) -> bool {
        let recorded = &self.history[self.ops[op]];
        if recorded.ret.is_some() || recorded.closed.is_some() {
            return false;
        }
        let mut event = self.order.first();
        while let Some((place, Event::Invoked(other))) = event {
            if other == op {
                return false;
            }
            let earlier = &self.history[self.ops[other]];
            let alike = earlier.ret.is_none() && earlier.closed.is_none();
            if alike && self.model.same_effect(&earlier.op, &recorded.op) {
                return true;
            }
            event = self.order.after(place);
        }
        false
    }
}
