//! Several keys at once, all or nothing.

use leasehold::{AcquireRequest, FencingToken, Timestamp, TryAcquire};

use super::{Refusal, State, acquire::Known, grant::mint, lease::Claim};

/// Tries once for all of these keys: either every one is granted, with one token greater than the last of each, or none
/// changes.
///
/// An id that is live on every key with one token is granted again with that token. One that is live on some of them
/// only is [`IdReused`](Refusal::IdReused): that grant is no longer whole. It waits on no key and grants no waiter.
///
/// # Errors
/// The first refusal among the keys, in their order.
pub fn try_acquire_all(
    now: Timestamp,
    request: &AcquireRequest,
    states: &mut [&mut State],
) -> Result<TryAcquire, Refusal> {
    let mut live = Vec::new();
    let mut in_the_way = None;
    for state in states.iter() {
        let open = match state.look_up(now, request)? {
            Known::Live(grant) => {
                live.push(grant.token);
                continue;
            }
            Known::New => state.is_open(now, request),
            Known::Queued | Known::Released => false,
        };
        if !open && in_the_way.is_none() {
            in_the_way = Some(state.held(now, request));
        }
    }
    if !live.is_empty() {
        return repeat(now, request, states, &live);
    }
    if let Some(held) = in_the_way {
        return Ok(TryAcquire::Held(held));
    }
    let tokens = states.iter().map(|state| mint(now, state.last_token));
    let Some(token) = tokens.max() else {
        return Err(Refusal::IdReused);
    };
    let mut grants =
        states.iter_mut().map(|state| state.grant_with(now, Claim::of(request), token));
    let first = grants.next();
    grants.for_each(drop);
    first.map(TryAcquire::Granted).ok_or(Refusal::IdReused)
}

/// The same request again: whole, or refused.
fn repeat(
    now: Timestamp,
    request: &AcquireRequest,
    states: &mut [&mut State],
    live: &[FencingToken],
) -> Result<TryAcquire, Refusal> {
    let whole = live.len() == states.len() && live.windows(2).all(|pair| pair[0] == pair[1]);
    if !whole {
        return Err(Refusal::IdReused);
    }
    let mut refreshed = states.iter_mut().map(|state| state.refresh(now, request));
    let first = refreshed.next().flatten();
    refreshed.for_each(drop);
    first.map(TryAcquire::Granted).ok_or(Refusal::IdReused)
}
