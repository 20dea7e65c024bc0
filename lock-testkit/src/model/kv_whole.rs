//! The key-value map as one object.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::{Kv, KvOp, KvRet, Model, Window};

/// The map of [`Kv`] as one object: no parts. For comparison, and as the start of a model whose
/// operations touch several keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct WholeKv;

/// The values of all keys that were written. The hash is kept, as a search needs it often.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KvValues {
    /// Sum of the hashes of the entries.
    hash: u64,
    /// Ascending by key.
    entries: Vec<Arc<Entry>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hash: u64,
    key: Arc<str>,
    value: Arc<str>,
}

impl Hash for KvValues {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl KvValues {
    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| (*entry.key).cmp(key))
    }

    /// The value of a key; missing keys are empty.
    #[must_use]
    pub fn get(&self, key: &str) -> &str {
        self.find(key).map_or("", |index| &self.entries[index].value)
    }

    /// The map in which a key has this value.
    fn with(&self, key: &Arc<str>, value: Arc<str>) -> Self {
        let mut hasher = DefaultHasher::new();
        (key, &value).hash(&mut hasher);
        let entry = Arc::new(Entry { hash: hasher.finish(), key: Arc::clone(key), value });
        let mut values = self.clone();
        values.hash = values.hash.wrapping_add(entry.hash);
        match self.find(key) {
            Ok(index) => {
                values.hash = values.hash.wrapping_sub(values.entries[index].hash);
                values.entries[index] = entry;
            }
            Err(index) => values.entries.insert(index, entry),
        }
        values
    }
}

impl Model for WholeKv {
    type State = KvValues;
    type Op = KvOp;
    type Ret = KvRet;
    type Part = ();

    fn init(&self) -> KvValues {
        KvValues::default()
    }

    fn step(
        &self,
        state: &KvValues,
        op: &KvOp,
        ret: Option<&KvRet>,
        _window: Window,
        next: &mut Vec<KvValues>,
    ) {
        match (op, ret) {
            (KvOp::Get(key), Some(KvRet::Value(value))) if **value == *state.get(key) => {
                next.push(state.clone());
            }
            (KvOp::Get(_), None) => next.push(state.clone()),
            (KvOp::Put(key, value), Some(KvRet::Done) | None) => {
                next.push(state.with(key, Arc::clone(value)));
            }
            (KvOp::Append(key, value), Some(KvRet::Done) | None) => {
                next.push(state.with(key, [state.get(key), value].concat().into()));
            }
            _ => {}
        }
    }

    fn is_pure(&self, op: &KvOp, ret: &KvRet) -> bool {
        Kv.is_pure(op, ret)
    }

    fn same_effect(&self, one: &KvOp, other: &KvOp) -> bool {
        one == other
    }

    fn commute(&self, one: &KvOp, other: &KvOp) -> bool {
        Kv.part(one) != Kv.part(other)
    }

    fn part(&self, _op: &KvOp) {}
}
