//! A register with compare-and-set.

use super::{Model, Window};

/// A register with compare-and-set; `None` before the first write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cas;

/// An operation on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CasOp {
    /// Reads the value.
    Read,
    /// Replaces the value.
    Write(i64),
    /// Replaces the value if it is the first by the second.
    CompareAndSet(i64, i64),
}

/// What it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CasRet {
    /// The value read.
    Value(Option<i64>),
    /// A write, or a compare-and-set that replaced the value.
    Done,
    /// A compare-and-set that met another value.
    Refused,
}

impl Model for Cas {
    type State = Option<i64>;
    type Op = CasOp;
    type Ret = CasRet;
    type Part = ();

    fn init(&self) -> Option<i64> {
        None
    }

    fn step(
        &self,
        state: &Option<i64>,
        op: &CasOp,
        ret: Option<&CasRet>,
        _window: Window,
        next: &mut Vec<Option<i64>>,
    ) {
        let (holds, after) = match *op {
            CasOp::Read => (true, *state),
            CasOp::Write(value) => (true, Some(value)),
            CasOp::CompareAndSet(old, new) if *state == Some(old) => (true, Some(new)),
            CasOp::CompareAndSet(..) => (false, *state),
        };
        let fits = match ret {
            None => true,
            Some(CasRet::Value(value)) => matches!(op, CasOp::Read) && value == state,
            Some(CasRet::Done) => holds && !matches!(op, CasOp::Read),
            Some(CasRet::Refused) => !holds,
        };
        if fits {
            next.push(after);
        }
    }

    fn is_pure(&self, op: &CasOp, ret: &CasRet) -> bool {
        matches!((op, ret), (CasOp::Read, _) | (_, CasRet::Refused))
    }

    fn same_effect(&self, one: &CasOp, other: &CasOp) -> bool {
        one == other
    }

    fn part(&self, _op: &CasOp) {}
}
