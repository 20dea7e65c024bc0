//! One small lie in a history.

use rand::RngExt;
use rand::rngs::SmallRng;

use crate::history::{Call, HeldReason, History, Operation, Outcome};

/// The history with the outcome of one operation changed.
pub(super) fn one(rng: &mut SmallRng, history: &History) -> History {
    let victim = rng.random_range(0..history.len().max(1));
    let (choice, amount) = (rng.random_range(0..3), rng.random_range(1..=3));
    history.map(|op| {
        if op.id.0 == victim {
            lie(op, choice, amount);
        }
    })
}

fn lie(op: &mut Operation, choice: u32, amount: u64) {
    let waits = op.call.waits();
    let downgrades = matches!(op.call, Call::Downgrade { .. });
    if let Call::Extend { ttl_ns, .. } = &mut op.call
        && choice == 0
    {
        *ttl_ns += amount;
        return;
    }
    let Some((_, outcome)) = &mut op.returned else {
        return;
    };
    let refused =
        if waits { Outcome::TimedOut } else { Outcome::Held { reason: HeldReason::Lease } };
    *outcome = match std::mem::replace(outcome, Outcome::Lost) {
        Outcome::Granted { token, ttl_ns } => match choice {
            0 => refused,
            1 => Outcome::Granted { token: token.saturating_sub(amount).max(1), ttl_ns },
            _ => Outcome::Granted { token, ttl_ns: ttl_ns + amount },
        },
        Outcome::Held { .. } | Outcome::TimedOut => Outcome::Granted { token: amount, ttl_ns: 3 },
        Outcome::Extended => Outcome::Lost,
        Outcome::Downgraded => Outcome::Lost,
        Outcome::Lost if downgrades => Outcome::Downgraded,
        Outcome::Lost => Outcome::Extended,
        Outcome::Released => Outcome::NotHeld,
        Outcome::NotHeld => Outcome::Released,
        Outcome::Revoked { leases } => Outcome::Revoked { leases: leases + 1 },
        Outcome::State { mut leases, waiters } => {
            match leases.first_mut() {
                None => {}
                Some(_) if choice == 0 => leases.clear(),
                Some(first) if choice == 1 => first.token += amount,
                Some(first) => first.remaining_ns = Some(amount),
            }
            Outcome::State { leases, waiters: waiters.map(|count| count + 1) }
        }
        error @ Outcome::Error { .. } => error,
    };
}
