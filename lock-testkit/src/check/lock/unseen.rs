//! What no answer tells: grants, refreshes and releases whose outcome is unknown, and giving up.

use smallvec::SmallVec;

use super::config::{Entry, NOTHING, insert_sorted};
use super::ends::release_one;
use super::moves::Moves;
use super::part::{Kind, NOBODY, Op};

impl<const W: usize> Moves<'_, W> {
    /// A grant that no answer tells: the only one, unless the request roams.
    pub(super) fn unseen_grant(&mut self, number: u32) {
        if self.is_used(number) || !self.guards.grantable(self.from, number) {
            return;
        }
        let op = self.op(number);
        let mut next = self.from.clone();
        match op.kind {
            _ if !op.roams => insert_sorted(&mut next.used, number),
            Kind::Granted { .. } if op.queued => insert_sorted(&mut next.ghosts, number),
            // Something was in its way: what it had itself.
            Kind::TimedOut { .. } => next.done.put(self.guards.open.slot(number)),
            _ => {}
        }
        for token in self.possible_tokens(op) {
            // Its own token is the grant that it answers, not one before.
            if !matches!(op.kind, Kind::Granted { token: own } if own == token) {
                self.grant(next.clone(), op, token, number);
            }
        }
        self.grant(next, op, 0, number);
    }

    /// A waiting acquire that returned later is granted before it is granted for good, or extends what it is going to
    /// answer.
    pub(super) fn roam(&mut self, number: u32) {
        let op = self.op(number);
        match op.kind {
            // Among those that timed out.
            Kind::TimedOut { .. } => {}
            Kind::Granted { token } if self.from.done.has(self.guards.open.slot(number)) => {
                if self.is_live(op, token) {
                    self.look_again(op);
                }
            }
            _ => self.unseen_grant(number),
        }
    }

    /// The lease of a waiting acquire is refreshed before it answers.
    fn look_again(&mut self, op: &Op) {
        self.refresh(self.from.clone(), &op.keys, op.lease, op.spec.map(|spec| spec.ends));
    }

    /// A repeated request whose answer was lost: it refreshed the live lease.
    pub(super) fn unseen_refresh(&mut self, number: u32) {
        let op = self.op(number);
        if self.is_used(number) || !self.is_live(op, 0) {
            return;
        }
        if op.roams {
            return self.look_again(op);
        }
        let mut next = self.from.clone();
        insert_sorted(&mut next.used, number);
        self.refresh(next, &op.keys, op.lease, op.spec.map(|spec| spec.ends));
    }

    /// The shown tokens that an unseen grant may have had: the next on one of its keys, if it is
    /// nobody else's.
    fn possible_tokens(&self, op: &Op) -> SmallVec<[u64; 2]> {
        let part = self.guards.part;
        let mut tokens: SmallVec<[u64; 2]> = SmallVec::new();
        for &key in &op.keys {
            let granted = self.from.tokens[key as usize].granted as usize;
            let Some(&token) = part.tokens[key as usize].get(granted) else {
                continue;
            };
            let owner = part.owners[key as usize].get(&token);
            if owner.is_none_or(|owner| *owner == op.lease) && !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        tokens
    }

    /// Unknown extensions, downgrades and releases of a live lease.
    pub(super) fn unknown_on(&mut self, entry: usize) {
        let entry = self.from.entries[entry];
        if entry.released || entry.lease == NOBODY {
            return;
        }
        if entry.by != NOTHING && self.is_first_key(&entry) {
            let op = self.op(entry.by);
            if op.roams && self.is_live(op, 0) {
                self.look_again(op);
            }
            if matches!(op.kind, Kind::TimedOut { .. } | Kind::MayAcquire) {
                self.leave(entry.by);
            }
        }
        let open = self.guards.open;
        for number in open.unknown_of(entry.lease) {
            let op = self.op(number);
            if op.keys[0] != entry.key || self.is_used(number) {
                continue;
            }
            let mut next = self.from.clone();
            insert_sorted(&mut next.used, number);
            match &op.kind {
                Kind::MayExtend { ends } => self.refresh(next, &op.keys, op.lease, Some(*ends)),
                Kind::MayDowngrade => self.downgrade(next, op),
                _ => self.release(next, op),
            }
        }
    }

    fn is_first_key(&self, entry: &Entry) -> bool {
        let first =
            self.from.entries.iter().find(|other| {
                other.lease == entry.lease && other.by == entry.by && !other.released
            });
        first.is_some_and(|first| first.key == entry.key)
    }

    /// A request that may still be waiting gives up; that matters only if its id is used
    /// elsewhere. One that timed out was refused before.
    pub(super) fn give_up(&mut self, number: u32) {
        let op = self.op(number);
        let held = op.keys.iter().any(|key| self.from.held(*key, op.lease).is_some());
        let slot = self.guards.open.slot(number);
        let refused = slot == NOTHING || self.from.done.has(slot);
        if refused && !self.is_used(number) && (held || op.kills) {
            self.leave(number);
        }
    }

    /// The caller gave up: what it has is released on every key, its id is dead.
    fn leave(&mut self, number: u32) {
        let op = self.op(number);
        let mut next = self.from.clone();
        insert_sorted(&mut next.used, number);
        if op.kills {
            op.keys.iter().for_each(|key| next.kill(*key, op.lease));
        }
        let mut made = vec![next];
        for &key in &op.keys {
            let mut released = Vec::new();
            for config in made {
                if config.held(key, op.lease).is_some() {
                    release_one(config, key, op.lease, &mut released);
                } else {
                    released.push(config);
                }
            }
            made = released;
        }
        self.made.append(&mut made);
    }
}
