//! What can happen next: the steps from one possibility to others.

use smallvec::SmallVec;

use super::config::{Config, Entry, NOTHING, insert_sorted};
use super::ends::{refresh_one, release_one};
use super::guards::Guards;
use super::part::{Kind, Op, Spec};
use crate::history::{LeaseView, Mode};
use crate::model::lock::{Slack, Span};

/// Makes the successors of one configuration within a stretch of time.
#[derive(Debug)]
pub(super) struct Moves<'a, const W: usize> {
    pub(super) guards: Guards<'a, W>,
    pub(super) slack: Slack,
    /// The configuration, its zone reduced to the points where each of its leases is live.
    pub(super) from: &'a Config<W>,
    /// The successors, at the instants at which they come about.
    pub(super) made: Vec<Config<W>>,
}

impl<'a, const W: usize> Moves<'a, W> {
    /// Everything that open operations can do.
    pub(super) fn all(&mut self) {
        let open = self.guards.open;
        for slot in open.acting.without(&self.from.done).iter() {
            self.definite(open.op_in(slot), slot);
        }
        for &number in &open.timed_out {
            self.unseen_grant(number);
        }
        for &number in &open.roamers {
            self.roam(number);
        }
        for &number in &open.quitters {
            self.give_up(number);
        }
        if open.any_unknown() {
            for number in open.unknown_acquires(self.from) {
                self.unseen_grant(number);
                self.unseen_refresh(number);
            }
            for &number in &open.revokes {
                let op = self.op(number);
                let some = self.from.entries.iter().any(|entry| entry.key == op.keys[0]);
                if some && !self.is_used(number) {
                    let mut next = self.from.clone();
                    insert_sorted(&mut next.used, number);
                    self.revoke(next, op.keys[0]);
                }
            }
        }
        for entry in 0..self.from.entries.len() {
            self.unknown_on(entry);
        }
    }

    pub(super) fn op(&self, number: u32) -> &'a Op {
        &self.guards.part.ops[number as usize]
    }

    pub(super) fn is_used(&self, number: u32) -> bool {
        self.from.used.binary_search(&number).is_ok()
    }

    fn definite(&mut self, number: u32, slot: u32) {
        let op = self.op(number);
        let held = self.from.held(op.keys[0], op.lease).is_some();
        let from = self.from;
        let next = || {
            let mut next = from.clone();
            next.done.put(slot);
            next
        };
        match &op.kind {
            Kind::Granted { token } => self.definite_grant(next, number, *token),
            Kind::Extended { ends } if held => {
                self.refresh(next(), &op.keys, op.lease, Some(*ends));
            }
            Kind::Downgraded if held => self.downgrade(next(), op),
            Kind::Released if held => self.release(next(), op),
            Kind::NotHeld if !held => {
                let mut next = next();
                next.kill(op.keys[0], op.lease);
                self.made.push(next);
            }
            Kind::State { leases, .. } if self.guards.fits(self.from, number) => {
                self.read(next(), op.keys[0], leases);
            }
            Kind::Revoked { leases } => {
                let on = || self.from.entries.iter().filter(|entry| entry.key == op.keys[0]);
                let usable = on().filter(|entry| !entry.released).count();
                if (usable..=on().count()).contains(leases) {
                    self.revoke(next(), op.keys[0]);
                }
            }
            _ => {}
        }
    }

    fn definite_grant(&mut self, next: impl Fn() -> Config<W>, number: u32, token: u64) {
        let op = self.op(number);
        if self.is_live(op, token) {
            if op.waits {
                self.made.push(next());
            }
            self.refresh(next(), &op.keys, op.lease, op.spec.map(|spec| spec.ends));
        } else if self.is_next(op, token) && self.guards.grantable(self.from, number) {
            self.grant(next(), op, token, NOTHING);
        }
    }

    /// Whether a token is the smallest that is outstanding on each of the keys.
    fn is_next(&self, op: &Op, token: u64) -> bool {
        op.keys.iter().all(|key| {
            let granted = self.from.tokens[*key as usize].granted as usize;
            self.guards.part.tokens[*key as usize].get(granted) == Some(&token)
        })
    }

    /// Whether the lease of a request is live under this token: then it is answered, not granted anew.
    pub(super) fn is_live(&self, op: &Op, token: u64) -> bool {
        op.keys.iter().all(|key| {
            self.from.held(*key, op.lease).is_some_and(|entry| {
                let entry = &self.from.entries[entry];
                let same =
                    |spec: Spec| spec.mode == entry.spec.mode && spec.permits == entry.spec.permits;
                (token == 0 || entry.token == token) && op.spec.is_some_and(same)
            })
        })
    }

    /// Grants under a new token (0: one that is never shown), if tokens allow it.
    pub(super) fn grant(&mut self, mut next: Config<W>, op: &Op, token: u64, by: u32) {
        let Some(spec) = op.spec else { return };
        let shown = &self.guards.part.tokens;
        let last = op.keys.iter().map(|key| next.tokens[*key as usize].last).max().unwrap_or(0);
        let number = if token == 0 { last + 1 } else { token };
        if number <= last {
            return;
        }
        for &key in &op.keys {
            let tokens = &mut next.tokens[key as usize];
            match shown[key as usize].get(tokens.granted as usize) {
                Some(&coming) if coming == number && token != 0 => tokens.granted += 1,
                Some(&coming) if coming <= number => return,
                _ => {}
            }
            tokens.last = number;
            let (lease, released, holds) = (op.lease, false, spec.holds.is_some());
            next.add(Entry { key, lease, token, spec, released, holds, by }, spec.ends);
        }
        self.made.push(next);
    }

    /// The end of a lease becomes the later of what it was and now + ttl, on each of the keys.
    pub(super) fn refresh(
        &mut self,
        next: Config<W>,
        keys: &[u32],
        lease: u32,
        ends: Option<Span>,
    ) {
        let Some(ends) = ends else { return };
        let mut made: SmallVec<[Config<W>; 2]> = SmallVec::from_iter([next]);
        for &key in keys {
            let mut refreshed = SmallVec::new();
            for config in made {
                refresh_one(config, key, lease, ends, &mut refreshed);
            }
            made = refreshed;
        }
        self.made.extend(made);
    }

    /// A writer becomes a reader, and a reader stays one; permits of another kind can't.
    pub(super) fn downgrade(&mut self, mut next: Config<W>, op: &Op) {
        let Some(entry) = next.held(op.keys[0], op.lease) else { return };
        let spec = &mut next.entries[entry].spec;
        let reads = spec.mode == Mode::Shared { limit: None } && spec.permits == 1;
        if spec.mode == Mode::Exclusive || reads {
            (spec.mode, spec.permits) = (Mode::Shared { limit: None }, 1);
            self.made.push(next);
        }
    }

    pub(super) fn release(&mut self, mut next: Config<W>, op: &Op) {
        if op.kills {
            next.kill(op.keys[0], op.lease);
        }
        release_one(next, op.keys[0], op.lease, &mut self.made);
    }

    fn revoke(&mut self, mut next: Config<W>, key: u32) {
        while let Some(entry) = next.entries.iter().position(|entry| entry.key == key) {
            next.drop(entry);
        }
        self.made.push(next);
    }

    /// A reading with remaining times.
    fn read(&mut self, mut next: Config<W>, key: u32, views: &[LeaseView]) {
        for index in 0..next.entries.len() {
            let entry = next.entries[index];
            let view = views.iter().find(|view| view.token == entry.token && entry.key == key);
            let Some(remaining) = view.and_then(|view| view.remaining_ns) else {
                continue;
            };
            let var = next.end(index);
            if !next.zone.within(var, self.slack.remaining(remaining)) {
                return;
            }
        }
        self.made.push(next);
    }
}
