//! A model in one function.

use std::{fmt::Debug, hash::Hash, marker::PhantomData};

use crate::model::{Model, Window};

/// A model of one part, by its first state and a function.
pub(super) struct Steps<State, Op, Ret, F> {
    initial: State,
    step: F,
    operations: PhantomData<fn(Op) -> Ret>,
}

impl<State, Op, Ret, F: Fn(&State, &Op, Option<&Ret>) -> Option<State>> Steps<State, Op, Ret, F> {
    pub(super) const fn new(initial: State, step: F) -> Self {
        Self { initial, step, operations: PhantomData }
    }
}

impl<State, Op, Ret, F> Model for Steps<State, Op, Ret, F>
where
    State: Clone + Eq + Hash + Debug,
    Op: Clone + Debug,
    Ret: Clone + Debug,
    F: Fn(&State, &Op, Option<&Ret>) -> Option<State>,
{
    type State = State;
    type Op = Op;
    type Ret = Ret;
    type Part = ();

    fn init(&self) -> State {
        self.initial.clone()
    }

    fn step(
        &self,
        state: &State,
        op: &Op,
        ret: Option<&Ret>,
        _window: Window,
        next: &mut Vec<State>,
    ) {
        next.extend((self.step)(state, op, ret));
    }

    fn part(&self, _op: &Op) {}
}
