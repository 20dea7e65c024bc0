//! lock-memory against the testkit's model: two readings of one specification that share no code.

use std::time::Duration;

use leasehold::Runtime;
use leasehold_memory::{MemoryBackend, state::Retention};
use leasehold_testkit::generate::{
    Action, Ask, LeaseRef, Link, Program, Sharing, Step, on_virtual_time,
};

use crate::bytes::Bytes;

/// The steps of all clients together, so that every input ends soon.
const MOST_STEPS: usize = 60;

/// Any program of concurrent operations ends, and the model explains all of its outcomes.
pub fn memory_model(data: &[u8]) {
    let program = decoded(&mut Bytes::new(data));
    let ran = on_virtual_time(&program, backend);
    assert!(ran.finding.is_none(), "{}\n{program}", ran.finding.expect("a finding"));
}

/// It remembers ids that were given up for longer than any program runs, as the model does.
fn backend(runtime: Runtime) -> MemoryBackend {
    let time = Duration::from_secs(24 * 60 * 60);
    MemoryBackend::with_retention(runtime, Retention { time, ..Retention::default() })
}

/// Two to four clients, with or without a connection that delays and loses.
fn decoded(bytes: &mut Bytes<'_>) -> Program {
    let clients = 2 + usize::from(bytes.below(3));
    let order = u64::from(bytes.next());
    let link = (bytes.below(4) == 0).then(|| Link {
        seed: u64::from(bytes.next()),
        delay: millis(bytes.below(16)),
        loss: bytes.one_of(&[0, 20, 60]),
    });
    let mut program = Program { order, link, clients: vec![Vec::new(); clients] };
    for _ in 0..MOST_STEPS {
        if bytes.is_empty() {
            break;
        }
        let client = usize::from(bytes.next()) % clients;
        program.clients[client].push(step(bytes, clients));
    }
    program
}

fn step(bytes: &mut Bytes<'_>, clients: usize) -> Step {
    let think = bytes.one_of(&[0, 0, 0, 1, 5, 10, 19, 20, 21]);
    let action = match bytes.below(12) {
        0..=2 => Action::Try(ask(bytes)),
        3..=5 => Action::Wait(ask(bytes), millis(bytes.below(64))),
        6 => {
            let wait = (bytes.below(2) == 0).then(|| millis(bytes.below(32)));
            Action::Again { lease: lease(bytes, clients), wait, other: bytes.below(4) == 3 }
        }
        7 => Action::Extend(lease(bytes, clients), millis(1 + bytes.below(40))),
        8 | 9 => Action::Release(lease(bytes, clients)),
        10 => Action::Look(bytes.below(2)),
        _ => Action::Revoke(bytes.below(2)),
    };
    let cut = match bytes.below(16) {
        13 => Some(Duration::ZERO),
        14 => Some(millis(1)),
        15 => Some(millis(10)),
        _ => None,
    };
    Step { think: millis(think), action, cut }
}

fn ask(bytes: &mut Bytes<'_>) -> Ask {
    let ttl = millis(bytes.one_of(&[20, 20, 20, 10, 40, 5, 1]));
    let (sharing, permits) = match bytes.below(8) {
        0..=3 => (Sharing::Exclusive, 1),
        4 | 5 => (Sharing::Shared, 1),
        6 => (Sharing::Limit(2), 1 + u32::from(bytes.below(2))),
        _ => (Sharing::Limit(3), 1 + u32::from(bytes.below(3))),
    };
    let hold = if bytes.below(6) == 5 { ttl / 2 } else { Duration::ZERO };
    Ask { keys: bytes.one_of(&[1, 1, 1, 2, 3]), sharing, permits, ttl, hold }
}

fn lease(bytes: &mut Bytes<'_>, clients: usize) -> LeaseRef {
    let choice = usize::from(bytes.next());
    LeaseRef { client: choice % clients, back: choice / clients % 3 }
}

fn millis(count: u8) -> Duration {
    Duration::from_millis(u64::from(count))
}
