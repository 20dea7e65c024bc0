//! The lock checker, the general checker and brute force against each other.

use leasehold_testkit::{
    check::{
        Limits,
        differential::{Case, compare},
        lock::Options,
    },
    history::{
        Call, Effect, HeldReason, History, HistoryBuilder, LeaseRequest, LeaseView, Mode, OpId,
        Outcome,
    },
    model::lock::{Policy, Slack},
};

use crate::bytes::Bytes;

/// Brute force tries every order at every instant.
const MOST_OPERATIONS: usize = 5;
const MOST_EVENTS: usize = 16;

/// Any history gets the same verdict from all who come to one.
pub fn checkers(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let options = options(&mut bytes);
    let history = decoded(&mut bytes);
    let case = Case { history, options, corrupted: true };
    let compared = compare(&case, true);
    if compared.disagree() {
        let mut text = Vec::new();
        case.history.write_to(&mut text).expect("a vector takes what is written");
        panic!("{compared:?}, {options:?}\n{}", String::from_utf8_lossy(&text));
    }
}

fn options(bytes: &mut Bytes<'_>) -> Options {
    let said = bytes.next();
    let yes = |bit: u8| said >> bit & 1 == 0;
    let policy = Policy { tombstones: yes(0), fifo: yes(1), honest_reasons: yes(2) };
    let slack = Slack {
        rate_ppm: 0,
        jitter_ns: u64::from(!yes(3)),
        resolution_ns: u64::from(said >> 4 & 3) / 2,
    };
    Options { slack, policy, limits: Limits { explored: 2_000, alive: 2_000 } }
}

/// Events that a recorder could have written: each operation is invoked, may return, may be settled.
fn decoded(bytes: &mut Bytes<'_>) -> History {
    let mut history = HistoryBuilder::new();
    let mut open: Vec<(OpId, Call)> = Vec::new();
    let (mut at_ns, mut invoked) = (0, 0);
    for _ in 0..MOST_EVENTS {
        if bytes.is_empty() {
            break;
        }
        at_ns += u64::from(bytes.one_of(&[0_u8, 0, 1, 1, 2, 3]));
        if open.is_empty() || bytes.below(2) == 0 {
            if invoked == MOST_OPERATIONS {
                break;
            }
            let call = call(bytes, at_ns);
            if let Ok(op) = history.invoke(at_ns, format!("c{}", invoked % 3), call.clone()) {
                invoked += 1;
                open.push((op, call));
            }
            continue;
        }
        let (op, call) = open.swap_remove(usize::from(bytes.next()) % open.len());
        let outcome = outcome(bytes, &call);
        let unknown = outcome.is_unknown();
        // What can't answer the call, or settle it, is no event.
        let returned = history.returned(at_ns, op, outcome).is_ok();
        if returned && unknown && bytes.below(2) == 0 {
            let _settled = history.settled(at_ns, op);
        }
    }
    history.finish()
}

fn call(bytes: &mut Bytes<'_>, at_ns: u64) -> Call {
    let lease = bytes.one_of(&["c1.1", "c2.1", "c3.1"]).into();
    let key = "k".into();
    let ttl_ns = u64::from(bytes.below(4)) + 1;
    match bytes.below(10) {
        0..=3 => Call::TryAcquire(request(bytes, lease, ttl_ns)),
        4 => {
            let request = request(bytes, lease, ttl_ns);
            Call::Acquire { request, deadline_ns: at_ns + u64::from(bytes.below(5)) }
        }
        5 => Call::Extend { lease, key, ttl_ns },
        6 | 7 => Call::Release { lease, key },
        8 => Call::Inspect { key },
        _ => Call::Revoke { key },
    }
}

fn request(bytes: &mut Bytes<'_>, lease: std::sync::Arc<str>, ttl_ns: u64) -> LeaseRequest {
    let mode = match bytes.below(6) {
        0..=2 => Mode::Exclusive,
        3 => Mode::Shared { limit: None },
        4 => Mode::Shared { limit: Some(2) },
        _ => Mode::Shared { limit: Some(3) },
    };
    let permits = if mode == Mode::Exclusive { 1 } else { 1 + u32::from(bytes.below(2)) };
    let min_hold_ns = if bytes.below(5) == 4 { ttl_ns.div_ceil(2) } else { 0 };
    LeaseRequest { mode, permits, min_hold_ns, ..LeaseRequest::exclusive(lease, "k", ttl_ns) }
}

fn outcome(bytes: &mut Bytes<'_>, call: &Call) -> Outcome {
    let choice = bytes.below(8);
    let token = u64::from(bytes.below(4)) + 1;
    match (call, choice) {
        (_, 7) => Outcome::Error { effect: Effect::Unknown, kind: None },
        (_, 6) => Outcome::Error { effect: Effect::None, kind: None },
        (Call::TryAcquire(_), 0..=2) => {
            Outcome::Held { reason: bytes.one_of(&[HeldReason::Lease, HeldReason::Queue]) }
        }
        (Call::Acquire { .. }, 0 | 1) => Outcome::TimedOut,
        (Call::TryAcquire(request) | Call::Acquire { request, .. }, _) => {
            Outcome::Granted { token, ttl_ns: request.ttl_ns }
        }
        (Call::Extend { .. }, 0..=2) => Outcome::Lost,
        (Call::Extend { .. }, _) => Outcome::Extended,
        (Call::Downgrade { .. }, 0 | 1) => Outcome::Lost,
        (Call::Downgrade { .. }, _) => Outcome::Downgraded,
        (Call::Release { .. }, 0 | 1) => Outcome::NotHeld,
        (Call::Release { .. }, _) => Outcome::Released,
        (Call::Inspect { .. }, 0 | 1) => Outcome::State { leases: Vec::new(), waiters: None },
        (Call::Inspect { .. }, _) => {
            let view = LeaseView { token, mode: None, remaining_ns: None };
            Outcome::State { leases: vec![view], waiters: None }
        }
        (Call::Revoke { .. }, _) => Outcome::Revoked { leases: usize::from(choice.min(2)) },
    }
}
