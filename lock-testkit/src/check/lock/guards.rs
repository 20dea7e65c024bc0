//! When an outcome fits a possibility: the part that does not depend on instants.

use super::config::Config;
use super::open::Open;
use super::part::{Kind, Op, Part};
use crate::history::{HeldReason, LeaseView, Mode};
use crate::model::lock::Policy;

/// What guards look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guards<'a, const W: usize> {
    pub(super) part: &'a Part,
    pub(super) open: &'a Open<W>,
    pub(super) policy: Policy,
}

impl<const W: usize> Guards<'_, W> {
    /// Whether a pure operation fits, all leases of `config` being live.
    pub(super) fn fits(&self, config: &Config<W>, number: u32) -> bool {
        let op = &self.part.ops[number as usize];
        match &op.kind {
            Kind::Held { reason } => self.refuses(config, number, Some(*reason)),
            Kind::TimedOut { evidence } => {
                !evidence
                    || config.used.binary_search(&number).is_ok()
                    || self.refuses(config, number, None)
            }
            Kind::Lost | Kind::NotHeld => config.held(op.keys[0], op.lease).is_none(),
            Kind::State { leases, waiters } => {
                self.shown(config, op, leases)
                    && waiters.is_none_or(|count| self.counted(config, number, count))
            }
            _ => false,
        }
    }

    /// Whether a request may be refused, for this reason if one was said.
    pub(super) fn refuses(
        &self,
        config: &Config<W>,
        number: u32,
        reason: Option<HeldReason>,
    ) -> bool {
        let op = &self.part.ops[number as usize];
        if reason == Some(HeldReason::Quarantine) || config.is_dead(op) {
            return true;
        }
        let own = |key: &u32| config.find(*key, op.lease);
        if op.keys.iter().any(|key| own(key).is_some_and(|entry| config.entries[entry].released)) {
            return true;
        }
        let live = op.keys.iter().filter(|key| own(key).is_some()).count();
        if live == op.keys.len() {
            return false;
        }
        let lease = || live > 0 || !op.keys.iter().all(|key| compatible(config, *key, op));
        let waiter = || {
            self.open.waiting(number, self.part, config, self.policy.tombstones).next().is_some()
        };
        match reason {
            Some(HeldReason::Lease) if self.policy.honest_reasons => lease(),
            Some(HeldReason::Queue) if self.policy.honest_reasons => waiter(),
            _ => lease() || waiter(),
        }
    }

    /// Whether nothing stands in the way of a grant under a new token.
    pub(super) fn grantable(&self, config: &Config<W>, number: u32) -> bool {
        let op = &self.part.ops[number as usize];
        let dead = self.policy.tombstones && config.is_dead(op);
        !dead
            && op.keys.iter().all(|key| config.find(*key, op.lease).is_none())
            && op.keys.iter().all(|key| compatible(config, *key, op))
            && !(self.policy.fifo && self.open.is_behind(number, config))
    }

    /// Whether a reading shows just what is live, remaining times left aside.
    pub(super) fn shown(&self, config: &Config<W>, op: &Op, views: &[LeaseView]) -> bool {
        let mut shown = 0;
        for entry in config.entries.iter().filter(|entry| entry.key == op.keys[0]) {
            match views.iter().find(|view| view.token == entry.token && entry.token != 0) {
                Some(view) if view.mode.is_some_and(|mode| mode != entry.spec.mode) => {
                    return false;
                }
                Some(_) => shown += 1,
                None if entry.released => {}
                None => return false,
            }
        }
        shown == views.len()
    }

    fn counted(&self, config: &Config<W>, number: u32, count: usize) -> bool {
        self.open.certainly_waiting(number, self.part, config) <= count
            && self
                .open
                .waiting(number, self.part, config, self.policy.tombstones)
                .take(count)
                .count()
                == count
    }
}

/// Whether a request fits beside the leases on a key, its own left aside.
pub(super) fn compatible<const W: usize>(config: &Config<W>, key: u32, op: &Op) -> bool {
    let Some(spec) = op.spec else { return false };
    let mut others =
        config.entries.iter().filter(|entry| entry.key == key && entry.lease != op.lease);
    let Mode::Shared { limit } = spec.mode else {
        return others.next().is_none();
    };
    let mut smallest = limit;
    let mut taken = u64::from(spec.permits);
    for entry in others {
        let Mode::Shared { limit } = entry.spec.mode else {
            return false;
        };
        taken += u64::from(entry.spec.permits);
        smallest = match (smallest, limit) {
            (Some(one), Some(other)) if one != other => return false,
            (one, other) => one.or(other),
        };
    }
    smallest.is_none_or(|limit| taken <= u64::from(limit))
}
