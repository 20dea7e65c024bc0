//! Scripts for the state machine: at a second, an operation, and what it answers.

use leasehold::{AcquireRequest, Held, HeldReason, TryAcquire};
use leasehold_memory::state::{Operation, Outcome, Refusal, State, Turn, WakeUp};

use crate::support::*;

/// Runs the steps and compares the answers, those granted by it after an arrow.
#[track_caller]
pub(crate) fn script<const N: usize>(steps: [(u64, Operation, &str); N]) -> State {
    let mut state = State::default();
    for (number, (second, operation, expected)) in steps.into_iter().enumerate() {
        let (outcome, granted) = state.apply(at(second), &operation);
        let answer = answer(&outcome, &granted);
        assert_eq!(answer, expected, "step {number} at {second}s: {operation:?}");
    }
    state
}

fn answer(outcome: &Outcome, granted: &[WakeUp]) -> String {
    let outcome = match outcome {
        Outcome::TryAcquire(Ok(TryAcquire::Granted(grant)))
        | Outcome::Acquire(Ok(Turn::Granted(grant))) => format!("granted {}", grant.token),
        Outcome::TryAcquire(Ok(TryAcquire::Held(held))) => held_by(held),
        Outcome::Acquire(Ok(Turn::Waiting)) => "waiting".into(),
        Outcome::Acquire(Ok(Turn::TimedOut(_))) => "timed out".into(),
        Outcome::TryAcquire(Err(refusal))
        | Outcome::Acquire(Err(refusal))
        | Outcome::Downgrade(Err(refusal)) => refused(*refusal),
        Outcome::Extend(extension) => format!("{extension:?}").to_lowercase(),
        Outcome::Downgrade(Ok(downgrade)) => format!("{downgrade:?}").to_lowercase(),
        Outcome::Release(release) => format!("{release:?}").to_lowercase(),
        Outcome::Revoke(revoked) => format!("revoked {}", revoked.leases),
        Outcome::Done => "done".into(),
        Outcome::Inspect(key) => {
            let leases = key.leases.iter();
            let leases = leases.map(|lease| format!("{} {:?}", lease.holder, lease.remaining));
            let waiters = key.waiters.iter();
            let waiters =
                waiters.map(|waiter| format!("{} since {:?}", waiter.holder, waiter.waited));
            let both: Vec<_> = leases.chain(waiters).collect();
            both.join(", ")
        }
    };
    let wake_ups = granted.iter();
    let wake_ups = wake_ups.map(|wake_up| {
        let number = wake_up.id.expose_bytes()[0];
        format!(" → {number} gets {}", wake_up.grant.token)
    });
    outcome + &wake_ups.collect::<String>()
}

fn held_by(held: &Held) -> String {
    let after = held.retry_after.map_or(String::new(), |after| format!(" for {after:?}"));
    format!(
        "{} held{after}",
        match held.reason {
            HeldReason::Lease => "lease",
            HeldReason::Queue => "queue",
            _ => "other",
        }
    )
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::IdReused => "id reused".into(),
        Refusal::LimitMismatch => "limit mismatch".into(),
    }
}

pub(crate) fn tries(request: AcquireRequest) -> Operation {
    Operation::TryAcquire(request)
}

pub(crate) fn waits(request: AcquireRequest, until: u64) -> Operation {
    Operation::Acquire { request, deadline: at(until) }
}

pub(crate) fn extends(number: u8, seconds: u64) -> Operation {
    Operation::Extend { id: id(number), ttl: ttl(seconds) }
}

pub(crate) fn downgrades(number: u8) -> Operation {
    Operation::Downgrade { id: id(number) }
}

pub(crate) fn releases(number: u8) -> Operation {
    Operation::Release { id: id(number) }
}

pub(crate) fn leaves(number: u8) -> Operation {
    Operation::Leave { id: id(number) }
}

pub(crate) fn holding_4s(number: u8) -> AcquireRequest {
    by(number).with_min_hold(secs(4)).unwrap()
}
