//! Histories of correct objects under load, from a seed; with one answer changed if wanted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::sync::Arc;

use leasehold_testkit::check::linear::{Moment, Recorded};
use leasehold_testkit::model::{KvOp, KvRet, RegisterOp, RegisterRet};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Whether one answer is changed to one that nothing explains.
#[derive(Clone, Copy)]
pub(crate) struct Corrupted(pub(crate) bool);

impl fmt::Display for Corrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "bad" } else { "ok" })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct MapShape {
    pub(crate) operations: usize,
    pub(crate) clients: usize,
}

#[derive(Clone, Copy)]
pub(crate) struct RegisterShape {
    pub(crate) operations: usize,
    pub(crate) clients: usize,
}

/// A history, and who did what.
pub(crate) struct Simulated<Op, Ret> {
    pub(crate) recorded: Vec<Recorded<Op, Ret>>,
    pub(crate) clients: Vec<usize>,
}

/// Keys of a map.
const KEYS: usize = 10;

/// Half reads, and mostly appends, on ten keys; the bad one has read what nobody wrote at nine tenths.
pub(crate) fn map_history(
    shape: MapShape,
    corrupted: Corrupted,
    seed: u64,
) -> Vec<Recorded<KvOp, KvRet>> {
    let mut values: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    let mut written = 0;
    let next = |rng: &mut SmallRng| {
        let key = rng.random_range(0..KEYS).to_string().into();
        written += 1;
        match rng.random_range(0..20) {
            0..9 => KvOp::Get(key),
            9 => KvOp::Put(key, format!("x {written} y").into()),
            _ => KvOp::Append(key, format!("x {written} y").into()),
        }
    };
    let serve = |op: &KvOp| match op {
        KvOp::Get(key) => KvRet::Value(values.get(key).cloned().unwrap_or_default()),
        KvOp::Put(key, value) => {
            values.insert(Arc::clone(key), Arc::clone(value));
            KvRet::Done
        }
        KvOp::Append(key, value) => {
            let before = values.entry(Arc::clone(key)).or_default();
            *before = format!("{before}{value}").into();
            KvRet::Done
        }
    };
    let mut made = simulate(shape.operations, shape.clients, seed, next, serve).recorded;
    let late = made.iter_mut().skip(shape.operations * 9 / 10);
    let read = late.filter(|op| matches!(op.op, KvOp::Get(_))).find(|_| corrupted.0);
    if let Some(read) = read {
        read.ret = Some(KvRet::Value("nobody wrote this".into()));
    }
    made
}

/// Two fifths writes of ten values; in the bad one, the last read returned what nobody wrote.
pub(crate) fn register_history(
    shape: RegisterShape,
    corrupted: Corrupted,
    seed: u64,
) -> Simulated<RegisterOp, RegisterRet> {
    let mut value = 0;
    let next = |rng: &mut SmallRng| {
        if rng.random_bool(0.4) {
            RegisterOp::Write(rng.random_range(0..10))
        } else {
            RegisterOp::Read
        }
    };
    let serve = |op: &RegisterOp| match op {
        RegisterOp::Read => RegisterRet::Value(value),
        RegisterOp::Write(written) => {
            value = *written;
            RegisterRet::Written
        }
    };
    let mut made = simulate(shape.operations, shape.clients, seed, next, serve);
    let mut reads = made.recorded.iter_mut().filter(|op| op.op == RegisterOp::Read);
    if let Some(read) = reads.next_back().filter(|_| corrupted.0) {
        read.ret = Some(RegisterRet::Value(-1));
    }
    made
}

/// What comes next for a client: to call, to take effect, to return.
enum Phase {
    Call,
    Effect(usize),
    Return(usize),
}

fn simulate<Op, Ret>(
    operations: usize,
    clients: usize,
    seed: u64,
    mut next: impl FnMut(&mut SmallRng) -> Op,
    mut serve: impl FnMut(&Op) -> Ret,
) -> Simulated<Op, Ret> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut phases: Vec<Phase> = (0..clients).map(|_| Phase::Call).collect();
    let mut agenda: BinaryHeap<Reverse<(u64, usize)>> =
        (0..clients).map(|client| Reverse((0, client))).collect();
    let mut made = Simulated { recorded: Vec::new(), clients: Vec::new() };
    let mut events = (0..).map(Moment::event);
    while let Some(Reverse((now, client))) = agenda.pop() {
        let recorded = &mut made.recorded;
        phases[client] = match phases[client] {
            Phase::Call if recorded.len() == operations => continue,
            Phase::Call => {
                let Some(invoked) = events.next() else { break };
                recorded.push(Recorded { op: next(&mut rng), ret: None, invoked, closed: None });
                made.clients.push(client);
                Phase::Effect(made.recorded.len() - 1)
            }
            Phase::Effect(index) => {
                recorded[index].ret = Some(serve(&recorded[index].op));
                Phase::Return(index)
            }
            Phase::Return(index) => {
                recorded[index].closed = events.next();
                Phase::Call
            }
        };
        // One of ten waits for long, as behind a lost packet.
        let slow = if rng.random_bool(0.1) { 10 } else { 1 };
        agenda.push(Reverse((now + slow * rng.random_range(1..100), client)));
    }
    made
}
