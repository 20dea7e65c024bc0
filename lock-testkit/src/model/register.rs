//! A register: read and write.

use super::{Model, Window};

/// A register that holds a number, at first `initial`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Register {
    /// The value before the first write.
    pub initial: i64,
}

/// An operation on a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterOp {
    /// Reads the value.
    Read,
    /// Replaces the value.
    Write(i64),
}

/// What a register returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterRet {
    /// The value read.
    Value(i64),
    /// The write was done.
    Written,
}

impl Model for Register {
    type State = i64;
    type Op = RegisterOp;
    type Ret = RegisterRet;
    type Part = ();

    fn init(&self) -> i64 {
        self.initial
    }

    fn step(
        &self,
        state: &i64,
        op: &RegisterOp,
        ret: Option<&RegisterRet>,
        _window: Window,
        next: &mut Vec<i64>,
    ) {
        match (op, ret) {
            (RegisterOp::Read, Some(RegisterRet::Value(value))) if value == state => {
                next.push(*state);
            }
            (RegisterOp::Read, None) => next.push(*state),
            (RegisterOp::Write(value), Some(RegisterRet::Written) | None) => next.push(*value),
            _ => {}
        }
    }

    fn is_pure(&self, op: &RegisterOp, _ret: &RegisterRet) -> bool {
        matches!(op, RegisterOp::Read)
    }

    fn same_effect(&self, one: &RegisterOp, other: &RegisterOp) -> bool {
        one == other
    }

    fn part(&self, _op: &RegisterOp) {}
}
