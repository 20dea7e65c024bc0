//! Which operations are open at this point of the history.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, NOTHING, Slots};
use super::part::{Kind, Op, Part};

/// The open operations of a part.
#[derive(Debug)]
pub(super) struct Open<const W: usize> {
    /// The operation in each slot.
    slots: Vec<u32>,
    free: Vec<u32>,
    /// The slot of each operation, by number; [`NOTHING`] if it has none.
    slot_of: Vec<u32>,
    /// Slots of pure operations.
    pub(super) pure: Slots<W>,
    /// Slots of the other definite operations.
    pub(super) acting: Slots<W>,
    /// Open waiting acquires.
    waits: BTreeSet<u32>,
    /// Open acquires that returned "timed out" later.
    pub(super) timed_out: BTreeSet<u32>,
    /// Open acquires that may give up unseen while their id is used elsewhere.
    pub(super) quitters: BTreeSet<u32>,
    /// Open waiting acquires that roam and returned later.
    pub(super) roamers: BTreeSet<u32>,
    /// Enqueued acquires that are granted later.
    enqueued: BTreeSet<u32>,
    /// For each open request: who was enqueued before it.
    ahead: BTreeMap<u32, Slots<W>>,
    /// Unknown acquires, by class; those of no class under their own number above all classes.
    classes: BTreeMap<(u32, u32), BTreeSet<u32>>,
    /// Unknown extensions, downgrades and releases, by lease.
    by_lease: BTreeMap<u32, BTreeSet<u32>>,
    /// Unknown revocations.
    pub(super) revokes: BTreeSet<u32>,
}

impl<const W: usize> Open<W> {
    pub(super) fn new(part: &Part) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            slot_of: vec![NOTHING; part.ops.len()],
            pure: Slots::EMPTY,
            acting: Slots::EMPTY,
            waits: BTreeSet::new(),
            timed_out: BTreeSet::new(),
            quitters: BTreeSet::new(),
            roamers: BTreeSet::new(),
            enqueued: BTreeSet::new(),
            ahead: BTreeMap::new(),
            classes: BTreeMap::new(),
            by_lease: BTreeMap::new(),
            revokes: BTreeSet::new(),
        }
    }

    pub(super) fn slot(&self, op: u32) -> u32 {
        self.slot_of[op as usize]
    }

    pub(super) fn op_in(&self, slot: u32) -> u32 {
        self.slots[slot as usize]
    }

    fn class(number: u32, op: &Op) -> (u32, u32) {
        if op.class == u32::MAX { (u32::MAX, number) } else { (op.class, 0) }
    }

    /// Opens an operation.
    pub(super) fn invoke(&mut self, number: u32, part: &Part) {
        let op = &part.ops[number as usize];
        if op.waits {
            self.waits.insert(number);
        }
        if op.roams && !matches!(op.kind, Kind::MayAcquire) {
            self.roamers.insert(number);
        }
        match op.kind {
            Kind::MayAcquire => {
                self.classes.entry(Self::class(number, op)).or_default().insert(number);
                if op.class == u32::MAX {
                    self.quitters.insert(number);
                }
            }
            Kind::MayExtend { .. } | Kind::MayDowngrade | Kind::MayRelease => {
                self.by_lease.entry(op.lease).or_default().insert(number);
            }
            Kind::MayRevoke => {
                self.revokes.insert(number);
            }
            Kind::TimedOut { .. } => {
                self.timed_out.insert(number);
                self.quitters.insert(number);
            }
            _ => {}
        }
        if !op.is_optional() {
            self.give_slot(number, op.is_pure());
        }
        if op.spec.is_some() && !op.joins {
            self.note_ahead(number, part);
        }
    }

    fn give_slot(&mut self, number: u32, pure: bool) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(NOTHING);
            u32::try_from(self.slots.len() - 1).unwrap_or(NOTHING)
        });
        self.slots[slot as usize] = number;
        self.slot_of[number as usize] = slot;
        let set = if pure { &mut self.pure } else { &mut self.acting };
        set.put(slot);
    }

    fn note_ahead(&mut self, number: u32, part: &Part) {
        let mut ahead = Slots::EMPTY;
        for &other in &self.enqueued {
            if shares_key(&part.ops[other as usize], &part.ops[number as usize]) {
                ahead.put(self.slot(other));
            }
        }
        if !ahead.is_empty() {
            self.ahead.insert(number, ahead);
        }
    }

    /// A waiting acquire is in the queue.
    pub(super) fn enqueue(&mut self, number: u32, part: &Part) {
        if matches!(part.ops[number as usize].kind, Kind::Granted { .. }) {
            self.enqueued.insert(number);
        }
    }

    /// Closes an operation and frees its slot.
    pub(super) fn close(&mut self, number: u32, part: &Part) {
        let op = &part.ops[number as usize];
        self.waits.remove(&number);
        self.timed_out.remove(&number);
        self.quitters.remove(&number);
        self.roamers.remove(&number);
        self.enqueued.remove(&number);
        self.ahead.remove(&number);
        self.revokes.remove(&number);
        remove_from(&mut self.classes, &Self::class(number, op), number);
        remove_from(&mut self.by_lease, &op.lease, number);
        let slot = self.slot(number);
        if slot == NOTHING {
            return;
        }
        self.slot_of[number as usize] = NOTHING;
        self.slots[slot as usize] = NOTHING;
        self.free.push(slot);
        self.pure.take(slot);
        self.acting.take(slot);
        for ahead in self.ahead.values_mut() {
            ahead.take(slot);
        }
    }

    /// The requests of an id that is dead on its key for good: they neither wait nor get anything any more.
    pub(super) fn bury(&mut self, key: u32, lease: u32, part: &Part) -> Vec<u32> {
        let buried: Vec<u32> = self
            .classes
            .range((u32::MAX, 0)..)
            .flat_map(|(_, ops)| ops)
            .copied()
            .filter(|op| part.ops[*op as usize].lease == lease)
            .filter(|op| part.ops[*op as usize].keys[..] == [key])
            .collect();
        for &number in &buried {
            self.close(number, part);
        }
        buried
    }

    /// The unknown acquires that may be used next: one of each class.
    pub(super) fn unknown_acquires<'a>(
        &'a self,
        config: &'a Config<W>,
    ) -> impl Iterator<Item = u32> + 'a {
        let idle = |op: &&u32| config.used.binary_search(*op).is_err() && !config.has_unseen(**op);
        self.classes.values().filter_map(move |ops| ops.iter().find(idle).copied())
    }

    /// Whether any unknown acquire is open.
    pub(super) fn any_unknown(&self) -> bool {
        !self.classes.is_empty() || !self.revokes.is_empty()
    }

    /// The unknown extensions and releases of a lease.
    pub(super) fn unknown_of(&self, lease: u32) -> impl Iterator<Item = u32> + '_ {
        self.by_lease.get(&lease).into_iter().flatten().copied()
    }

    /// Whether somebody who was enqueued before this request still waits.
    pub(super) fn is_behind(&self, number: u32, config: &Config<W>) -> bool {
        let Some(ahead) = self.ahead.get(&number) else { return false };
        let waits = |slot| config.ghosts.binary_search(&self.op_in(slot)).is_err();
        ahead.without(&config.done).iter().any(waits)
    }

    /// Who may be waiting for one of these keys, `number` itself left aside.
    pub(super) fn waiting<'a>(
        &'a self,
        number: u32,
        part: &'a Part,
        config: &'a Config<W>,
        tombstones: bool,
    ) -> impl Iterator<Item = u32> + 'a {
        let me = &part.ops[number as usize];
        self.waits.iter().copied().filter(move |&other| {
            let op = &part.ops[other as usize];
            other != number
                && shares_key(op, me)
                && config.used.binary_search(&other).is_err()
                && !config.has_unseen(other)
                && !(tombstones && config.is_dead(op))
                && !(matches!(op.kind, Kind::Granted { .. }) && config.done.has(self.slot(other)))
        })
    }

    /// How many certainly wait for the key of `number`. An id has one place in the queue, however often it waits
    /// there, and none once it is granted.
    pub(super) fn certainly_waiting(&self, number: u32, part: &Part, config: &Config<W>) -> usize {
        let me = &part.ops[number as usize];
        let waits = |number: &&u32| {
            let op = &part.ops[**number as usize];
            let granted = op.keys.iter().any(|key| config.held(*key, op.lease).is_some());
            let lost = config.ghosts.binary_search(number).is_ok();
            shares_key(op, me) && !granted && !lost && !config.done.has(self.slot(**number))
        };
        let waiting = self.enqueued.iter().filter(waits);
        let leases: BTreeSet<u32> =
            waiting.map(|number| part.ops[*number as usize].lease).collect();
        leases.len()
    }
}

fn remove_from<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<u32>>, key: &K, number: u32) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(&number);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

fn shares_key(one: &Op, other: &Op) -> bool {
    one.keys.iter().any(|key| other.keys.contains(key))
}
