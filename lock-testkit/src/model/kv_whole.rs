//! The key-value map as one object.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Kv, KvOp, KvRet, Model, Window};

/// The map of [`Kv`] as one object: no parts. Slower to check; for comparison, and as the start of a
/// model whose operations touch several keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct WholeKv;

impl Model for WholeKv {
    type State = BTreeMap<Arc<str>, Arc<str>>;
    type Op = KvOp;
    type Ret = KvRet;
    type Part = ();

    fn init(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        op: &KvOp,
        ret: Option<&KvRet>,
        window: Window,
        next: &mut Vec<Self::State>,
    ) {
        let key = Kv.part(op);
        let before = state.get(&key).cloned().unwrap_or_else(|| Kv.init());
        let mut after = Vec::new();
        Kv.step(&before, op, ret, window, &mut after);
        next.extend(after.into_iter().map(|value| {
            let mut state = state.clone();
            if value != before {
                state.insert(Arc::clone(&key), value);
            }
            state
        }));
    }

    fn is_pure(&self, op: &KvOp, ret: &KvRet) -> bool {
        Kv.is_pure(op, ret)
    }

    fn same_effect(&self, one: &KvOp, other: &KvOp) -> bool {
        one == other
    }

    fn part(&self, _op: &KvOp) {}
}
