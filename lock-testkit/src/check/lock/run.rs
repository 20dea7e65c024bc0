//! The search: every possibility, carried from event to event.

use super::Options;
use super::config::{Config, NOTHING, Slots, remove_sorted};
use super::explain::{Impasse, impasse};
use super::guards::Guards;
use super::moves::Moves;
use super::open::Open;
use super::part::{Event, Kind, Part, What};
use super::table::Table;
use crate::check::Reached;

/// Why a search ended early.
#[derive(Debug)]
pub(super) enum Stop {
    Violation(Box<Impasse>),
    Limit(Reached),
}

/// The search over one part.
#[derive(Debug)]
pub(super) struct Search<'a, const W: usize> {
    part: &'a Part,
    options: &'a Options,
    open: Open<W>,
    frontier: Vec<Config<W>>,
    table: Table<W>,
    calm: Table<W>,
    now: i64,
    /// Configurations made so far.
    pub(super) explored: u64,
    /// The most configurations alive at once.
    pub(super) widest: usize,
}

impl<'a, const W: usize> Search<'a, W> {
    pub(super) fn new(part: &'a Part, options: &'a Options) -> Self {
        let now = part.events.first().map_or(0, |event| event.at);
        Self {
            part,
            options,
            open: Open::new(part),
            frontier: vec![Config::first(part.keys.len(), now)],
            table: Table::new(),
            calm: Table::new(),
            now,
            explored: 0,
            widest: 1,
        }
    }

    pub(super) fn run(&mut self) -> Result<(), Stop> {
        for event in &self.part.events {
            self.event(*event)?;
        }
        Ok(())
    }

    fn guards(&self) -> Guards<'_, W> {
        Guards { part: self.part, open: &self.open, policy: self.options.policy }
    }

    fn event(&mut self, event: Event) -> Result<(), Stop> {
        if event.at > self.now || event.what != What::Invoked {
            self.pass(event.at)?;
        }
        let op = &self.part.ops[event.op as usize];
        match event.what {
            What::Invoked => {
                self.open.invoke(event.op, self.part);
                if op.waits {
                    self.observe_all();
                } else if op.is_pure() {
                    self.observe_one(event.op);
                }
            }
            What::Enqueued => self.open.enqueue(event.op, self.part),
            What::Closed => {
                self.close(event.op)?;
                if op.waits {
                    self.observe_all();
                }
            }
        }
        Ok(())
    }

    /// Marks every open pure operation that fits a configuration.
    fn observe_all(&mut self) {
        let guards = Guards { part: self.part, open: &self.open, policy: self.options.policy };
        for config in &mut self.frontier {
            observe(&guards, config);
        }
    }

    fn observe_one(&mut self, number: u32) {
        let guards = Guards { part: self.part, open: &self.open, policy: self.options.policy };
        let slot = guards.open.slot(number);
        for config in &mut self.frontier {
            if guards.fits(config, number) {
                config.done.put(slot);
            }
        }
    }

    /// Lets time pass from the last event to `to`, with all that open operations can do meanwhile.
    fn pass(&mut self, to: i64) -> Result<(), Stop> {
        let mut busy = false;
        for mut config in std::mem::take(&mut self.frontier) {
            if self.is_calm(&config, to) {
                if config.zone.stop_later(to) {
                    self.frontier.push(config);
                }
            } else {
                config.zone.elapse(to);
                self.table.insert(config, &self.open.pure);
                busy = true;
            }
        }
        self.now = to;
        if !busy {
            return Ok(());
        }
        let mut place = 0;
        while place < self.table.places() {
            self.expand(place, to)?;
            place += 1;
        }
        self.settle_table(to);
        Ok(())
    }

    /// Keeps what is possible at the instant `to`.
    fn settle_table(&mut self, to: i64) {
        let pure = self.open.pure;
        for config in self.frontier.drain(..) {
            self.calm.insert(config, &pure);
        }
        for mut config in self.table.drain() {
            let mut zone = config.zone.clone();
            if zone.stop(to) && config.all_alive(&mut zone) {
                config.zone = zone;
                self.calm.insert(config, &pure);
            }
        }
        self.frontier.extend(self.calm.drain());
        self.widest = self.widest.max(self.frontier.len());
    }

    /// Whether nothing can happen to a configuration until `to`.
    fn is_calm(&self, config: &Config<W>, to: i64) -> bool {
        if !self.open.acting.within(&config.done)
            || self.open.any_unknown()
            || !self.open.timed_out.is_empty()
            || !self.open.roamers.is_empty()
        {
            return false;
        }
        config.entries.iter().enumerate().all(|(index, entry)| {
            entry.by == NOTHING
                && self.open.unknown_of(entry.lease).next().is_none()
                && config.zone.least(config.end(index)) > to
        })
    }

    /// Makes the successors of a configuration of the table.
    fn expand(&mut self, place: usize, to: i64) -> Result<(), Stop> {
        let Some(config) = self.table.get(place) else {
            return Ok(());
        };
        let mut made = Vec::new();
        expire(config, 0, to, &mut made);
        let mut from = config.clone();
        let mut zone = from.zone.clone();
        if from.all_alive(&mut zone) {
            from.zone = zone;
            let slack = self.options.slack;
            let mut moves = Moves { guards: self.guards(), slack, from: &from, made };
            moves.all();
            made = moves.made;
        }
        self.explored += made.len() as u64;
        for mut config in made {
            let guards = Guards { part: self.part, open: &self.open, policy: self.options.policy };
            observe(&guards, &mut config);
            config.zone.elapse(to);
            self.table.insert(config, &self.open.pure);
        }
        self.within_limits()
    }

    fn within_limits(&self) -> Result<(), Stop> {
        let limits = self.options.limits;
        if self.explored > limits.explored {
            return Err(Stop::Limit(Reached::Explored(self.explored)));
        }
        if self.table.alive() > limits.alive {
            return Err(Stop::Limit(Reached::Alive(self.table.alive())));
        }
        Ok(())
    }

    /// An operation returned, or can take effect no more.
    fn close(&mut self, number: u32) -> Result<(), Stop> {
        let op = &self.part.ops[number as usize];
        let slot = self.open.slot(number);
        let got_nothing = op.roams && matches!(op.kind, Kind::Waited);
        if slot != NOTHING || got_nothing {
            let stays = |config: &Config<W>| {
                (slot == NOTHING || config.done.has(slot)) && !config.has_unseen(number)
            };
            if !self.frontier.iter().any(stays) {
                let found = impasse(&self.guards(), &self.frontier, number, self.now);
                return Err(Stop::Violation(Box::new(found)));
            }
            self.frontier.retain(stays);
        }
        let dies = op.kills && matches!(op.kind, Kind::TimedOut { .. });
        for config in &mut self.frontier {
            forget(config, number, slot);
            if dies {
                op.keys.iter().for_each(|key| config.kill(*key, op.lease));
            }
        }
        self.open.close(number, self.part);
        if matches!(op.kind, Kind::Released | Kind::NotHeld) && self.options.policy.tombstones {
            self.bury(op.keys[0], op.lease);
        }
        self.merge();
        Ok(())
    }

    fn bury(&mut self, key: u32, lease: u32) {
        for number in self.open.bury(key, lease, self.part) {
            for config in &mut self.frontier {
                forget(config, number, NOTHING);
            }
        }
    }

    /// Drops configurations that others cover, after some differences have gone.
    fn merge(&mut self) {
        if self.frontier.len() < 2 {
            return;
        }
        let pure: Slots<W> = self.open.pure;
        for config in self.frontier.drain(..) {
            self.calm.insert(config, &pure);
        }
        self.frontier.extend(self.calm.drain());
    }
}

fn forget<const W: usize>(config: &mut Config<W>, number: u32, slot: u32) {
    if slot != NOTHING {
        config.done.take(slot);
    }
    remove_sorted(&mut config.used, number);
    remove_sorted(&mut config.ghosts, number);
    for entry in &mut config.entries {
        if entry.by == number {
            entry.by = NOTHING;
        }
    }
}

/// Marks the open pure operations that fit. They change nothing in any state, so taking them at once
/// loses no possibility.
fn observe<const W: usize>(guards: &Guards<'_, W>, config: &mut Config<W>) {
    for slot in guards.open.pure.without(&config.done).iter() {
        if guards.fits(config, guards.open.op_in(slot)) {
            config.done.put(slot);
        }
    }
}

/// Each way in which leases from `first` on can have ended by `to`, the rest being live.
fn expire<const W: usize>(config: &Config<W>, first: usize, to: i64, made: &mut Vec<Config<W>>) {
    for entry in first..config.entries.len() {
        let var = config.end(entry);
        if config.zone.least(var) > to {
            continue;
        }
        let mut next = config.clone();
        if !next.zone.over(var) {
            continue;
        }
        next.drop(entry);
        expire(&next, entry, to, made);
        let mut zone = next.zone.clone();
        if next.all_alive(&mut zone) {
            next.zone = zone;
            made.push(next);
        }
    }
}
