//! How a run ended, for the judgement of the subject.

use std::{cell::RefCell, fmt, hash::Hash};

use super::{Called, Subject, steps::Steps};
use crate::{
    check::{
        Limits,
        linear::{Recorded, Refuted, Verdict, check},
    },
    model::Model,
};

/// How a run ended: the data, and everything that was asked and answered.
pub struct End<'a, S: Subject + ?Sized> {
    /// The data that the clients shared.
    pub store: &'a S::Store,
    /// The operations, in the order in which they were asked.
    pub calls: &'a [Called<S::Op, S::Out>],
    pub(super) undecided: RefCell<Option<String>>,
}

impl<'a, S: Subject + ?Sized> End<'a, S> {
    /// The answers that were given, in the order in which they were asked for.
    pub fn outputs(&self) -> impl Iterator<Item = &'a S::Out> {
        self.calls.iter().filter_map(|call| call.out.as_ref())
    }

    /// Whether some order of the operations, each at an instant between its question and its answer, explains all answers
    /// by the model; one without an answer may have taken effect or not.
    ///
    /// A check that becomes too long is no error: the run counts as [undecided](super::Hunted::undecided).
    ///
    /// # Errors
    /// A sentence that says which answer nothing explains.
    pub fn linearizable<M>(&self, model: &M) -> Result<(), String>
    where
        M: Model<Op = S::Op, Ret = S::Out>,
    {
        let record = |call: &Called<S::Op, S::Out>| Recorded {
            op: call.op.clone(),
            ret: call.out.clone(),
            invoked: call.from,
            closed: call.to.filter(|_| call.out.is_some()),
        };
        let history: Vec<_> = self.calls.iter().map(record).collect();
        let limits = Limits { explored: 1_000_000, ..Limits::default() };
        match check(model, &history, limits).verdict {
            Verdict::Ok => Ok(()),
            Verdict::Violation(refuted) => Err(self.sentence(&refuted)),
            Verdict::Unknown(reached) => {
                *self.undecided.borrow_mut() = Some(reached.to_string());
                Ok(())
            }
        }
    }

    /// As [`linearizable`](Self::linearizable), by a model in one function: `step` says in which state the operation leaves
    /// this one if it is answered so, or `None` if it can't be. Without an answer it says what the operation does when it takes
    /// effect.
    ///
    /// ```
    /// # use leasehold_testkit::harness::{End, Subject};
    /// # fn holds<S: Subject<Op = i64, Out = i64>>(end: &End<'_, S>) -> Result<(), String> {
    /// // A deposit answers the balance that it leaves.
    /// end.linearizable_by(0, |balance, amount, answer| {
    ///     let after = balance + amount;
    ///     answer.is_none_or(|answer| *answer == after).then_some(after)
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`linearizable`](Self::linearizable).
    pub fn linearizable_by<State, F>(&self, initial: State, step: F) -> Result<(), String>
    where
        State: Clone + Eq + Hash + fmt::Debug,
        F: Fn(&State, &S::Op, Option<&S::Out>) -> Option<State>,
    {
        self.linearizable(&Steps::new(initial, step))
    }

    fn sentence(&self, refuted: &Refuted) -> String {
        let Refuted { op, explained, state, .. } = refuted;
        let words = |call: &Called<S::Op, S::Out>| match &call.out {
            Some(out) => format!("{:?} by client {} -> {out:?}", call.op, call.client),
            None => format!("{:?} by client {}, unanswered", call.op, call.client),
        };
        let Some(wrong) = self.calls.get(*op) else { return "not linearizable".to_owned() };
        let before = explained.iter().filter_map(|place| self.calls.get(*place)).map(words);
        let before: Vec<_> = before.collect();
        let before = if before.is_empty() { "nothing".to_owned() } else { before.join("; ") };
        format!("no order explains {}: the state is {state} after {before}", words(wrong))
    }
}

impl<S: Subject + ?Sized> fmt::Debug for End<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("End").field("calls", &self.calls).finish_non_exhaustive()
    }
}
