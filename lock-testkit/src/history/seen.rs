//! Who stood in a queue, as far as readings tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Call, History, OpId, Operation, Outcome, Stamp};

impl History {
    /// The history with a note of who was certainly in the queue, wherever a reading proves it and nobody has noted it yet.
    ///
    /// A reading that counts as many waiters as there can have been at most, while it was under way, proves that each
    /// of them was in the queue by the time it returned. On a server, where nobody else tells when a waiter got its
    /// place, this is what the order of service is judged by.
    #[must_use]
    pub fn with_seen_waiters(&self) -> Self {
        let mut sight = Sight::default();
        let mut seen: Vec<(Stamp, OpId)> = Vec::new();
        for (_, number, invoked) in self.begins_and_ends() {
            let op = &self.operations[number];
            match (&op.call, invoked) {
                (Call::Acquire { request, .. }, true) => sight.comes(op, &request.keys),
                (Call::Acquire { request, .. }, false) => sight.goes(op, &request.keys),
                (Call::Inspect { key }, true) => sight.looks(op, key),
                (Call::Inspect { key }, false) => {
                    let waiting = sight.has_looked(op, key);
                    if let Some((at, all)) = self.told(op, &waiting) {
                        let unnoted = |id: &&OpId| self.operations[id.0].enqueued.is_none();
                        let open = all.iter().filter(|id| sight.is_open(key, **id));
                        seen.extend(open.filter(unnoted).map(|id| (at, *id)));
                    }
                }
                _ => {}
            }
        }
        let mut noted: BTreeSet<OpId> = BTreeSet::new();
        seen.retain(|(_, op)| noted.insert(*op));
        self.with_notes(&mut seen)
    }

    /// When each operation began and can do no more, in order: index of the event, operation, whether it began.
    fn begins_and_ends(&self) -> Vec<(usize, usize, bool)> {
        let begin = |op: &Operation| (op.invoked.index, op.id.0, true);
        let end = |op: &Operation| op.closed().map(|closed| (closed.index, op.id.0, false));
        let mut events: Vec<_> =
            self.operations.iter().flat_map(|op| [Some(begin(op)), end(op)]).flatten().collect();
        events.sort_unstable();
        events
    }

    /// Everybody who may have waited, if a reading counted as many.
    fn told<'a>(
        &self,
        reading: &Operation,
        waiting: &'a BTreeSet<OpId>,
    ) -> Option<(Stamp, &'a BTreeSet<OpId>)> {
        let (returned, outcome) = reading.returned.as_ref()?;
        let Outcome::State { waiters: Some(count), .. } = outcome else { return None };
        let lease = |op: &OpId| self.operations[op.0].call.lease();
        let leases: BTreeSet<_> = waiting.iter().filter_map(lease).collect();
        // An id has one place in the queue: of two calls under it, either may have it.
        let told = leases.len() == *count && leases.len() == waiting.len();
        told.then_some((*returned, waiting))
    }

    /// Puts the notes behind the events that prove them.
    fn with_notes(&self, seen: &mut [(Stamp, OpId)]) -> Self {
        seen.sort();
        let mut next = self.clone();
        let before = |index: usize| seen.partition_point(|(stamp, _)| stamp.index < index);
        let move_on = |stamp: &mut Stamp| stamp.index += before(stamp.index);
        for op in &mut next.operations {
            move_on(&mut op.invoked);
            op.enqueued.iter_mut().for_each(move_on);
            op.returned.iter_mut().for_each(|(stamp, _)| move_on(stamp));
            op.settled.iter_mut().for_each(move_on);
        }
        for (place, (stamp, op)) in seen.iter().enumerate() {
            let index = stamp.index + place + 1;
            next.operations[op.0].enqueued = Some(Stamp { index, at_ns: stamp.at_ns });
        }
        next.events += seen.len();
        next
    }
}

/// Who may be waiting, and whom the readings under way may see.
#[derive(Default)]
struct Sight {
    open: BTreeMap<Arc<str>, BTreeSet<OpId>>,
    looking: BTreeMap<Arc<str>, BTreeMap<OpId, BTreeSet<OpId>>>,
}

impl Sight {
    fn comes(&mut self, op: &Operation, keys: &[Arc<str>]) {
        for key in keys {
            self.open.entry(Arc::clone(key)).or_default().insert(op.id);
            let looking = self.looking.get_mut(key).into_iter().flatten();
            looking.for_each(|(_, waiting)| {
                waiting.insert(op.id);
            });
        }
    }

    fn goes(&mut self, op: &Operation, keys: &[Arc<str>]) {
        for key in keys {
            self.open.entry(Arc::clone(key)).or_default().remove(&op.id);
        }
    }

    fn looks(&mut self, op: &Operation, key: &Arc<str>) {
        let waiting = self.open.get(key).cloned().unwrap_or_default();
        self.looking.entry(Arc::clone(key)).or_default().insert(op.id, waiting);
    }

    fn has_looked(&mut self, op: &Operation, key: &Arc<str>) -> BTreeSet<OpId> {
        self.looking.get_mut(key).and_then(|looking| looking.remove(&op.id)).unwrap_or_default()
    }

    fn is_open(&self, key: &Arc<str>, op: OpId) -> bool {
        self.open.get(key).is_some_and(|open| open.contains(&op))
    }
}
