//! A mutex that knows its owner; no time.

use super::{Model, Window};

/// A mutex that knows its owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mutex;

/// An operation; the number is the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutexOp {
    /// Tries to take it.
    TryLock(u32),
    /// Gives it back.
    Unlock(u32),
}

/// What it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutexRet {
    /// Taken, or given back.
    Done,
    /// Somebody has it, or the caller does not have it.
    Refused,
}

impl Model for Mutex {
    type State = Option<u32>;
    type Op = MutexOp;
    type Ret = MutexRet;
    type Part = ();

    fn init(&self) -> Option<u32> {
        None
    }

    fn step(
        &self,
        state: &Option<u32>,
        op: &MutexOp,
        ret: Option<&MutexRet>,
        _window: Window,
        next: &mut Vec<Option<u32>>,
    ) {
        let (done, after) = match *op {
            MutexOp::TryLock(caller) if state.is_none() => (true, Some(caller)),
            MutexOp::Unlock(caller) if *state == Some(caller) => (true, None),
            MutexOp::TryLock(_) | MutexOp::Unlock(_) => (false, *state),
        };
        if ret.is_none_or(|ret| (*ret == MutexRet::Done) == done) {
            next.push(after);
        }
    }

    fn is_pure(&self, _op: &MutexOp, ret: &MutexRet) -> bool {
        *ret == MutexRet::Refused
    }

    fn same_effect(&self, one: &MutexOp, other: &MutexOp) -> bool {
        one == other
    }

    fn part(&self, _op: &MutexOp) {}
}
