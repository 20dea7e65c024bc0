//! What the scripts answer.

use std::time::Duration;

use leasehold::{
    Downgrade, Effect, Error, ErrorKind, Extension, FencingToken, Held, HeldReason, Holder,
    KeyState, LeaseInfo, Limit, Mode, Release, Result, Ttl, WaiterInfo,
};
use redis::Value;

use crate::error::{caught, nonsense};

/// The answer of `acquire.lua`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    /// Granted: the token, for how long from the server's `now`.
    Granted { now: u64, token: FencingToken, ttl: Ttl },
    /// Not granted.
    Held { now: u64, held: Held },
    /// It stands in the queue, behind so many.
    Waiting { now: u64, ahead: u64, held: Held },
    /// The server is not the one whose epoch was learnt.
    AnotherEpoch,
}

/// Reads the answer of `acquire.lua` to a request for `ttl`.
pub(crate) fn acquired(answer: &Value, ttl: Ttl) -> Result<Acquired> {
    let read = || {
        let Value::Array(parts) = answer else {
            let now = number(answer)?;
            let token = FencingToken::new(now)?;
            return Some(Ok(Acquired::Granted { now, token, ttl }));
        };
        Some(Ok(match number(parts.first()?)? {
            1 => Acquired::Granted {
                now: number(parts.get(1)?)?,
                token: FencingToken::new(number(parts.get(2)?)?)?,
                ttl: Ttl::new(micros(parts.get(3)?)?).ok()?,
            },
            2 => Acquired::Held { now: number(parts.get(1)?)?, held: held(parts.get(2..)?)? },
            3 => Acquired::Waiting {
                now: number(parts.get(1)?)?,
                ahead: number(parts.get(2)?)?,
                held: held(parts.get(3..)?)?,
            },
            4 => return Some(Err(reused())),
            5 => return Some(Err(mismatch(number(parts.get(1)?)?))),
            6 => Acquired::AnotherEpoch,
            _ => return None,
        }))
    };
    read().unwrap_or_else(|| Err(nonsense(answer)))
}

/// Reads the answer of `release.lua`.
pub(crate) fn released(answer: &Value) -> Result<Release> {
    let read = || {
        let Value::Array(parts) = answer else {
            return number(answer).map(|_now| Release::Released);
        };
        Some(match number(parts.first()?)? {
            0 => Release::NotHeld,
            _ => Release::Released,
        })
    };
    read().ok_or_else(|| nonsense(answer))
}

/// What `extend.lua` answers: the server's `now`, and for each lease its outcome, or what failed.
type Extended = (u64, Vec<Result<Extension>>);

/// Reads the answer of `extend.lua`.
pub(crate) fn extended(answer: &Value, leases: usize) -> Result<Extended> {
    let Value::Array(parts) = answer else {
        return Err(nonsense(answer));
    };
    let read = |part: &Value| match number(part) {
        Some(0) => Ok(Extension::Lost),
        Some(_) => Ok(Extension::Extended),
        None => Err(text(part).map_or_else(|| nonsense(part), caught)),
    };
    let answers: Vec<_> = parts.iter().skip(1).map(read).collect();
    match parts.first().and_then(number) {
        Some(now) if answers.len() == leases => Ok((now, answers)),
        Some(_) | None => Err(nonsense(answer)),
    }
}

/// Reads the answer of `downgrade.lua`: the server's `now`, and the outcome.
pub(crate) fn downgraded(answer: &Value) -> Result<(u64, Result<Downgrade>)> {
    let read = || {
        let Value::Array(parts) = answer else {
            return None;
        };
        let outcome = match number(parts.get(1)?)? {
            0 => Ok(Downgrade::Lost),
            1 => Ok(Downgrade::Downgraded),
            4 => Err(reused()),
            _ => return None,
        };
        Some((number(parts.first()?)?, outcome))
    };
    read().ok_or_else(|| nonsense(answer))
}

/// Reads the answer of `inspect.lua`.
pub(crate) fn inspected(answer: &Value) -> Result<KeyState> {
    let read = || {
        let Value::Array(parts) = answer else {
            return None;
        };
        let now = number(parts.first()?)?;
        let Value::Array(leases) = parts.get(1)? else {
            return None;
        };
        let mut leases =
            leases.iter().map(|lease| lease_info(lease, now)).collect::<Option<Vec<_>>>()?;
        leases.sort_by_key(|lease| lease.token);
        let Value::Array(waiters) = parts.get(2)? else {
            return None;
        };
        let waiters = waiters.iter().map(|waiter| waiter_info(waiter, now));
        Some(KeyState { leases, waiters: waiters.collect::<Option<_>>()? })
    };
    read().ok_or_else(|| nonsense(answer))
}

fn lease_info(lease: &Value, now: u64) -> Option<LeaseInfo> {
    let Value::Array(parts) = lease else {
        return None;
    };
    let permits = u32::try_from(number(parts.first()?)?).ok()?;
    let limit = u32::try_from(number(parts.get(1)?)?).ok()?;
    let expiry = number(parts.get(3)?)?;
    let granted = number(parts.get(4)?)?;
    Some(LeaseInfo {
        holder: Holder::decode(text(parts.get(6)?)?),
        mode: mode(permits, limit),
        permits: permits.max(1),
        token: FencingToken::new(number(parts.get(2)?)?)?,
        remaining: Duration::from_micros(expiry.saturating_sub(now)),
        age: Duration::from_micros(now.saturating_sub(granted)),
        released: text(parts.get(5)?)? == "r",
    })
}

fn waiter_info(waiter: &Value, now: u64) -> Option<WaiterInfo> {
    let Value::Array(parts) = waiter else {
        return None;
    };
    let permits = u32::try_from(number(parts.first()?)?).ok()?;
    let limit = u32::try_from(number(parts.get(1)?)?).ok()?;
    Some(WaiterInfo {
        holder: Holder::decode(text(parts.get(3)?)?),
        mode: mode(permits, limit),
        permits: permits.max(1),
        waited: Duration::from_micros(now.saturating_sub(number(parts.get(2)?)?)),
    })
}

/// Reads the answer of `revoke.lua`: how many leases were removed.
pub(crate) fn revoked(answer: &Value) -> Result<usize> {
    match answer {
        Value::Array(parts) if !parts.is_empty() => Ok(parts.len() - 1),
        other => Err(nonsense(other)),
    }
}

/// No permits stand for an exclusive lease, limit 0 for none.
fn mode(permits: u32, limit: u32) -> Mode {
    if permits == 0 {
        return Mode::Exclusive;
    }
    Mode::Shared { limit: Limit::new(limit).unwrap_or(Limit::UNLIMITED) }
}

/// Reason, time until it can change (nothing: unknown), holders.
fn held(parts: &[Value]) -> Option<Held> {
    let reason = match number(parts.first()?)? {
        1 => HeldReason::Lease,
        2 => HeldReason::Queue,
        3 => HeldReason::Quarantine,
        _ => return None,
    };
    let holders = parts.get(2..)?.iter().filter_map(text).map(Holder::decode);
    let holders = holders.filter(|holder| *holder != Holder::anonymous());
    Some(Held { reason, retry_after: parts.get(1).and_then(micros), holders: holders.collect() })
}

fn reused() -> Error {
    let message = "the lease id was used before, for something else or for a lease that is over";
    Error::new(ErrorKind::IdReused, Effect::None, message)
}

fn mismatch(limit: u64) -> Error {
    let message = format!("a live lease of the key has another limit: {limit}");
    Error::new(ErrorKind::LimitMismatch, Effect::None, message)
}

pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => text(other)?.parse().ok(),
    }
}

fn micros(value: &Value) -> Option<Duration> {
    number(value).map(Duration::from_micros)
}

pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
