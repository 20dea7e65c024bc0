//! Tokens, and making somebody the owner.

use leasehold::{FencingToken, Grant, Timestamp};

use super::{
    State, WakeUp,
    lease::{Claim, Lease},
};

const FIRST: FencingToken = match FencingToken::new(1) {
    Some(token) => token,
    None => panic!("1 is not 0"),
};

/// The token of a grant now: the clock in µs, or one more than the last where the clock has not outrun it.
pub(super) fn mint(now: Timestamp, last: Option<FencingToken>) -> FencingToken {
    let next = last.map_or(1, |last| last.get().saturating_add(1));
    FencingToken::new(next.max(now.as_nanos() / 1_000)).unwrap_or(FIRST)
}

/// From when on the clock alone gives greater tokens than this one.
pub(super) const fn outrun_at(token: FencingToken) -> Timestamp {
    Timestamp::from_nanos(token.get().saturating_add(1).saturating_mul(1_000))
}

impl State {
    pub(super) fn grant(&mut self, now: Timestamp, claim: Claim) -> Grant {
        self.grant_with(now, claim, mint(now, self.last_token))
    }

    /// Makes the claim a lease. The caller has seen that it is compatible and minted a greater token.
    pub(super) fn grant_with(
        &mut self,
        now: Timestamp,
        claim: Claim,
        token: FencingToken,
    ) -> Grant {
        self.leases.purge(now);
        self.last_token = Some(token);
        let lease = Lease {
            token,
            granted_at: now,
            ends_at: now + claim.ttl.get(),
            released: false,
            claim,
        };
        let grant = lease.grant();
        self.leases.push(lease);
        grant
    }

    /// Time has passed, or something changed: drops what ran out, and grants the compatible prefix of the queue. A
    /// waiter whose deadline has passed is not granted but dropped.
    pub fn tick(&mut self, now: Timestamp) -> Vec<WakeUp> {
        self.leases.purge(now);
        let mut granted = Vec::new();
        while let Some(first) = self.queue.first() {
            let (in_time, claim) = (first.is_waiting(now), &first.claim);
            if in_time && !self.leases.admit(now, claim.mode, claim.permits) {
                break;
            }
            let Some(waiter) = self.queue.pop() else {
                break;
            };
            let id = waiter.claim.id;
            if in_time {
                let grant = self.grant(now, waiter.claim);
                granted.push(WakeUp { id, grant });
            } else {
                self.tombstones.bury(now, id);
            }
        }
        granted
    }
}
