//! From a history to the independent parts that the search works on.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::Options;
use super::part::{Event, Kind, NOBODY, Op, Part, Spec, What};
use crate::check::places::joined;
use crate::history::{Call, Effect, HeldReason, History, LeaseRequest, Operation, Outcome};

/// Splits a history into its parts, in order of their smallest key.
pub(super) fn parts(history: &History, options: &Options) -> Vec<Part> {
    let numbers = key_numbers(history);
    let (part_of, count) = components(history, &numbers);
    let mut makers: Vec<Maker<'_>> = (0..count).map(|_| Maker::new(options)).collect();
    let mut place = vec![0; numbers.len()];
    for (key, number) in &numbers {
        let part = &mut makers[part_of[*number]].part;
        place[*number] = narrow(part.keys.len());
        part.keys.push(Arc::clone(key));
        part.tokens.push(Vec::new());
        part.owners.push(BTreeMap::new());
    }
    let joined = joined(history);
    let mut order: Vec<Option<(usize, u32, What, u64)>> = vec![None; history.events()];
    for op in history.operations() {
        let Some(kind) = kind_of(op, options) else {
            continue;
        };
        let keys: SmallVec<[u32; 2]> =
            op.call.keys().iter().map(|key| place[numbers[key]]).collect();
        let part = part_of[numbers[&op.call.keys()[0]]];
        let index = makers[part].add(op, kind, keys, joined[op.id.0]);
        order[op.invoked.index] = Some((part, index, What::Invoked, op.invoked.at_ns));
        if let Some(stamp) = op.enqueued {
            order[stamp.index] = Some((part, index, What::Enqueued, stamp.at_ns));
        }
        if let Some(stamp) = op.closed() {
            order[stamp.index] = Some((part, index, What::Closed, stamp.at_ns));
        }
    }
    for (part, op, what, at_ns) in order.into_iter().flatten() {
        let at = i64::try_from(at_ns).unwrap_or(i64::MAX / 4);
        makers[part].part.events.push(Event { at, op, what });
    }
    makers.into_iter().map(Maker::finish).collect()
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn key_numbers(history: &History) -> BTreeMap<Arc<str>, usize> {
    let mut numbers = BTreeMap::new();
    for key in history.operations().iter().flat_map(|op| op.call.keys()) {
        if !numbers.contains_key(key) {
            numbers.insert(Arc::clone(key), 0);
        }
    }
    for (number, slot) in numbers.values_mut().enumerate() {
        *slot = number;
    }
    numbers
}

/// The connected component of each key, numbered by their smallest keys.
fn components(history: &History, numbers: &BTreeMap<Arc<str>, usize>) -> (Vec<usize>, usize) {
    let mut root: Vec<usize> = (0..numbers.len()).collect();
    fn find(root: &mut [usize], mut key: usize) -> usize {
        while root[key] != key {
            root[key] = root[root[key]];
            key = root[key];
        }
        key
    }
    for op in history.operations() {
        let keys = op.call.keys();
        for other in &keys[1..] {
            let (one, other) =
                (find(&mut root, numbers[&keys[0]]), find(&mut root, numbers[other]));
            root[one.max(other)] = one.min(other);
        }
    }
    let mut count = 0;
    let mut part_of = vec![0; root.len()];
    for key in 0..root.len() {
        let top = find(&mut root, key);
        if top == key {
            part_of[key] = count;
            count += 1;
        } else {
            part_of[key] = part_of[top];
        }
    }
    (part_of, count)
}

/// What an operation says; `None` if it says nothing.
fn kind_of(op: &Operation, options: &Options) -> Option<Kind> {
    let span = |ttl_ns| options.slack.span(ttl_ns);
    let unknown = || match &op.call {
        Call::TryAcquire(_) | Call::Acquire { .. } => Some(Kind::MayAcquire),
        Call::Extend { ttl_ns, .. } => Some(Kind::MayExtend { ends: span(*ttl_ns) }),
        Call::Downgrade { .. } => Some(Kind::MayDowngrade),
        Call::Release { .. } => Some(Kind::MayRelease),
        Call::Revoke { .. } => Some(Kind::MayRevoke),
        Call::Inspect { .. } => None,
    };
    match op.outcome() {
        None | Some(Outcome::Error { effect: Effect::Unknown, .. }) => unknown(),
        Some(Outcome::Error { effect: Effect::None, .. }) => {
            op.call.waits().then_some(Kind::Waited)
        }
        Some(Outcome::Granted { token, .. }) => Some(Kind::Granted { token: *token }),
        Some(Outcome::Held { reason }) => Some(Kind::Held { reason: *reason }),
        Some(Outcome::TimedOut) => {
            let late = matches!(&op.call, Call::Acquire { deadline_ns, .. } if *deadline_ns <= op.invoked.at_ns);
            Some(Kind::TimedOut { evidence: !late })
        }
        Some(Outcome::Extended) => match &op.call {
            Call::Extend { ttl_ns, .. } => Some(Kind::Extended { ends: span(*ttl_ns) }),
            _ => None,
        },
        Some(Outcome::Downgraded) => Some(Kind::Downgraded),
        Some(Outcome::Lost) => Some(Kind::Lost),
        Some(Outcome::Released) => Some(Kind::Released),
        Some(Outcome::NotHeld) => Some(Kind::NotHeld),
        Some(Outcome::State { leases, waiters }) => {
            Some(Kind::State { leases: leases.clone(), waiters: *waiters })
        }
        Some(Outcome::Revoked { leases }) => Some(Kind::Revoked { leases: *leases }),
    }
}

/// An acquire class: what it asks for, whether it waits, and when it is settled.
type Class = (SmallVec<[u32; 2]>, Spec, bool, usize);

struct Maker<'a> {
    part: Part,
    options: &'a Options,
    names: BTreeMap<Arc<str>, u32>,
    mentions: Vec<u32>,
    /// When each acquire of a lease is over, for the leases that are acquired more than once.
    acquires: Vec<SmallVec<[(u32, usize); 1]>>,
    closed: Vec<usize>,
}

impl<'a> Maker<'a> {
    fn new(options: &'a Options) -> Self {
        Self {
            part: Part::default(),
            options,
            names: BTreeMap::new(),
            mentions: Vec::new(),
            acquires: Vec::new(),
            closed: Vec::new(),
        }
    }

    fn add(&mut self, op: &Operation, kind: Kind, keys: SmallVec<[u32; 2]>, joins: bool) -> u32 {
        let index = narrow(self.part.ops.len());
        let lease = op.call.lease().map_or(NOBODY, |lease| self.name(lease));
        let closed = op.closed().map_or(usize::MAX, |stamp| stamp.index);
        self.closed.push(closed);
        let spec = op.call.request().map(|request| self.spec(op, request));
        if let Some(mention) = self.mentions.get_mut(lease as usize) {
            *mention += 1;
            if spec.is_some() {
                self.acquires[lease as usize].push((index, closed));
            }
        }
        self.show(&kind, lease, &keys);
        let waits = op.call.waits();
        let invoked = op.invoked.index;
        let (kills, class) = (false, u32::MAX);
        let (queued, roams) = (op.enqueued.is_some(), false);
        let id = op.id;
        let made =
            Op { id, kind, lease, keys, spec, waits, joins, queued, roams, kills, class, invoked };
        self.part.ops.push(made);
        index
    }

    fn name(&mut self, lease: &Arc<str>) -> u32 {
        if let Some(&number) = self.names.get(lease) {
            return number;
        }
        let number = narrow(self.names.len());
        self.names.insert(Arc::clone(lease), number);
        self.part.leases.push(Arc::clone(lease));
        self.mentions.push(0);
        self.acquires.push(SmallVec::new());
        number
    }

    fn spec(&self, op: &Operation, request: &LeaseRequest) -> Spec {
        let ttl_ns = match op.outcome() {
            Some(Outcome::Granted { ttl_ns, .. }) => *ttl_ns,
            _ => request.ttl_ns,
        };
        let slack = self.options.slack;
        let holds = (request.min_hold_ns > 0).then(|| slack.span(request.min_hold_ns));
        Spec { mode: request.mode, permits: request.permits, ends: slack.span(ttl_ns), holds }
    }

    /// Notes the tokens that an answer shows.
    fn show(&mut self, kind: &Kind, lease: u32, keys: &[u32]) {
        match kind {
            Kind::Granted { token } => {
                for &key in keys {
                    self.part.tokens[key as usize].push(*token);
                    self.part.owners[key as usize].entry(*token).or_insert(lease);
                }
            }
            Kind::State { leases, .. } => {
                self.part.tokens[keys[0] as usize].extend(leases.iter().map(|view| view.token));
            }
            Kind::Held { reason: HeldReason::Quarantine } => self.part.quarantined = true,
            _ => {}
        }
    }

    fn finish(mut self) -> Part {
        for tokens in &mut self.part.tokens {
            tokens.sort_unstable();
            tokens.dedup();
        }
        let mut classes: BTreeMap<Class, u32> = BTreeMap::new();
        for (index, op) in self.part.ops.iter_mut().enumerate() {
            let Some(acquires) = self.acquires.get(op.lease as usize) else {
                continue;
            };
            op.kills = acquires
                .iter()
                .any(|(other, closed)| *other != narrow(index) && *closed > op.invoked);
            let alone = self.mentions[op.lease as usize] == 1;
            if let (Kind::MayAcquire, Some(spec), true) = (&op.kind, op.spec, alone) {
                let class = (op.keys.clone(), spec, op.waits, self.closed[index]);
                let next = narrow(classes.len());
                op.class = *classes.entry(class).or_insert(next);
            }
            if self.part.quarantined
                && let Kind::TimedOut { evidence } = &mut op.kind
            {
                *evidence = false;
            }
        }
        self.part.width = width(&self.part);
        self.part
    }
}

fn width(part: &Part) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for event in &part.events {
        let definite = !part.ops[event.op as usize].is_optional();
        match event.what {
            What::Invoked if definite => open += 1,
            What::Closed if definite => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    most
}
