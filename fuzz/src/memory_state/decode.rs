//! Bytes to operations: five bytes each, every byte sequence is a program.

use std::time::Duration;

use leasehold::{AcquireRequest, LeaseId, Limit, LockKey, Mode, Timestamp, Ttl};
use leasehold_memory::state::Operation;

/// An operation, and how much time passes before it.
pub(super) struct Step {
    pub(super) pause: Duration,
    pub(super) operation: Operation,
}

/// Reads steps until fewer than five bytes are left.
pub(super) struct Decoder<'a> {
    steps: std::slice::ChunksExact<'a, u8>,
    now: Timestamp,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { steps: data.chunks_exact(5), now: Timestamp::ORIGIN }
    }
}

impl Iterator for Decoder<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let &[what, who, how, ttl, pause] = self.steps.next()? else {
            return None;
        };
        let pause = millis(pause.saturating_sub(64) / 8);
        self.now = self.now + pause;
        let id = LeaseId::from_bytes([who % 8; 16]);
        let ttl = Ttl::new(millis(ttl % 32 + 1)).unwrap_or(Ttl::MIN);
        let operation = match what % 12 {
            0..=2 => Operation::TryAcquire(request(id, how, ttl)),
            3..=5 => {
                let deadline = self.now + millis(who / 8);
                Operation::Acquire { request: request(id, how, ttl), deadline }
            }
            6 => Operation::Extend { id, ttl },
            7 | 8 => Operation::Release { id },
            9 => Operation::Leave { id },
            10 => Operation::Revoke,
            _ => Operation::Inspect,
        };
        Some(Step { pause, operation })
    }
}

fn millis(count: u8) -> Duration {
    Duration::from_millis(u64::from(count))
}

/// Two bits choose the mode, two the limit, two the permits, two the minimum hold.
fn request(id: LeaseId, how: u8, ttl: Ttl) -> AcquireRequest {
    let (limit, permits) = (u32::from(how >> 2 & 3) + 1, u32::from(how >> 4 & 3) + 1);
    let limited = Limit::new(limit).unwrap_or(Limit::UNLIMITED);
    let (mode, permits) = match how & 3 {
        0 | 1 => (Mode::Exclusive, 1),
        2 => (Mode::READ, permits),
        _ => (Mode::Shared { limit: limited }, permits.min(limit)),
    };
    let min_hold = ttl.get() * u32::from(how >> 6) / 4;
    let key = LockKey::new("fuzzed").expect("a fixed key is a key");
    AcquireRequest::new(key, id, ttl)
        .with_mode(mode, permits)
        .and_then(|request| request.with_min_hold(min_hold))
        .expect("permits are within the limit and the hold is within the ttl")
}
