//! A key-value map: get, put, append.

use std::sync::Arc;

use super::{Model, Window};

/// A map from text to text. A missing key reads as the empty text. Keys are independent parts; the
/// state is that of one key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kv;

/// An operation on the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvOp {
    /// Reads a key.
    Get(Arc<str>),
    /// Replaces the value of a key.
    Put(Arc<str>, Arc<str>),
    /// Appends to the value of a key.
    Append(Arc<str>, Arc<str>),
}

/// What the map returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvRet {
    /// The value read.
    Value(Arc<str>),
    /// A put or an append was done.
    Done,
}

impl Model for Kv {
    type State = Arc<str>;
    type Op = KvOp;
    type Ret = KvRet;
    type Part = Arc<str>;

    fn init(&self) -> Arc<str> {
        "".into()
    }

    fn step(
        &self,
        state: &Arc<str>,
        op: &KvOp,
        ret: Option<&KvRet>,
        _window: Window,
        next: &mut Vec<Arc<str>>,
    ) {
        match (op, ret) {
            (KvOp::Get(_), Some(KvRet::Value(value))) if value == state => {
                next.push(Arc::clone(state));
            }
            (KvOp::Get(_), None) => next.push(Arc::clone(state)),
            (KvOp::Put(_, value), Some(KvRet::Done) | None) => next.push(Arc::clone(value)),
            (KvOp::Append(_, value), Some(KvRet::Done) | None) => {
                next.push([&**state, &**value].concat().into());
            }
            _ => {}
        }
    }

    fn is_pure(&self, op: &KvOp, _ret: &KvRet) -> bool {
        matches!(op, KvOp::Get(_))
    }

    fn same_effect(&self, one: &KvOp, other: &KvOp) -> bool {
        one == other
    }

    fn part(&self, op: &KvOp) -> Arc<str> {
        match op {
            KvOp::Get(key) | KvOp::Put(key, _) | KvOp::Append(key, _) => Arc::clone(key),
        }
    }
}
