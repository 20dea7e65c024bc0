//! Operations and states in words.

use std::fmt;

use crate::check::lock::{Impasse, Possible};
use crate::history::{Call, HeldReason, Mode, Operation, Outcome};

/// `#3 c1 [5 ns, 9 ns] extend c1.1 on "k" ttl 10 ns → lost`
pub(super) fn operation(op: &Operation) -> String {
    let closed = op.returned_at().map_or_else(|| "…".to_owned(), |at| format!("{} ns", at.at_ns));
    let (number, client, from) = (op.id.0, &op.client, op.invoked.at_ns);
    format!("#{number} {client} [{from} ns, {closed}] {} → {}", call(&op.call), outcome(op))
}

/// `extend of c1.1 on "k" was answered lost`
pub(super) fn answered(op: &Operation) -> String {
    format!("{} was answered {}", call(&op.call), outcome(op))
}

fn call(call: &Call) -> String {
    let name = call.name();
    let keys: Vec<String> = call.keys().iter().map(|key| format!("{key:?}")).collect();
    let keys = keys.join(" + ");
    match call {
        Call::TryAcquire(request) | Call::Acquire { request, .. } => {
            let mode = match request.mode {
                Mode::Exclusive => "exclusive".to_owned(),
                Mode::Shared { limit: None } => "shared".to_owned(),
                Mode::Shared { limit: Some(limit) } => {
                    format!("{} of {limit} permits", request.permits)
                }
            };
            let hold = match request.min_hold_ns {
                0 => String::new(),
                hold => format!(", held for at least {hold} ns"),
            };
            format!("{name} {} on {keys} ({mode}, ttl {} ns{hold})", request.lease, request.ttl_ns)
        }
        Call::Extend { lease, ttl_ns, .. } => format!("{name} {lease} on {keys} (ttl {ttl_ns} ns)"),
        Call::Downgrade { lease, .. } | Call::Release { lease, .. } => {
            format!("{name} {lease} on {keys}")
        }
        Call::Inspect { .. } | Call::Revoke { .. } => format!("{name} {keys}"),
    }
}

fn outcome(op: &Operation) -> String {
    match op.outcome() {
        None => "no answer".to_owned(),
        Some(Outcome::Granted { token, .. }) => format!("granted with token {token}"),
        Some(Outcome::Held { reason: HeldReason::Lease }) => "held".to_owned(),
        Some(Outcome::Held { reason: HeldReason::Queue }) => "held for the queue".to_owned(),
        Some(Outcome::Held { reason: HeldReason::Quarantine }) => "held in quarantine".to_owned(),
        Some(Outcome::TimedOut) => "timed out".to_owned(),
        Some(Outcome::Extended) => "extended".to_owned(),
        Some(Outcome::Downgraded) => "downgraded".to_owned(),
        Some(Outcome::Lost) => "lost".to_owned(),
        Some(Outcome::Released) => "released".to_owned(),
        Some(Outcome::NotHeld) => "not held".to_owned(),
        Some(Outcome::State { leases, .. }) => {
            let tokens: Vec<String> = leases.iter().map(|view| view.token.to_string()).collect();
            if tokens.is_empty() {
                "free".to_owned()
            } else {
                format!("held by token {}", tokens.join(", "))
            }
        }
        Some(Outcome::Revoked { leases }) => format!("{leases} revoked"),
        Some(Outcome::Error { effect, .. }) => format!("error, effect {effect:?}"),
    }
}

/// The states that were possible just before, and why each failed.
pub(super) fn states(f: &mut fmt::Formatter<'_>, impasse: &Impasse) -> fmt::Result {
    writeln!(f, "possible just before the answer of #{} at {} ns:", impasse.op.0, impasse.at_ns)?;
    for state in &impasse.states {
        writeln!(f, "  {}: {}", leases(state), state.failed)?;
    }
    Ok(())
}

fn leases(state: &Possible) -> String {
    if state.leases.is_empty() {
        return "free".to_owned();
    }
    let one = |lease: &crate::check::lock::PossibleLease| {
        let token = lease.token.map_or_else(String::new, |token| format!(" (token {token})"));
        let released = if lease.released { ", released but in its minimum hold" } else { "" };
        let (name, key, ends) = (&lease.lease, &lease.key, lease.ends);
        let until = if ends.lo == ends.hi {
            format!("{} ns", ends.lo)
        } else {
            format!("{}..{} ns", ends.lo, ends.hi)
        };
        format!("{name}{token} holds {key:?} until {until}{released}")
    };
    state.leases.iter().map(one).collect::<Vec<_>>().join(" and ")
}
