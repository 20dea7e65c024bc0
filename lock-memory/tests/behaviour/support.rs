//! What the tests share: requests, ids and a way to run tasks on virtual time.

use std::time::Duration;

use leasehold::{
    Acquire, AcquireRequest, Grant, Holder, LeaseId, Limit, LockKey, Mode, Timestamp, TryAcquire,
    Ttl,
};

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The instant this many seconds after the origin.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::ORIGIN + secs(seconds)
}

pub(crate) fn ttl(seconds: u64) -> Ttl {
    Ttl::new(secs(seconds)).unwrap()
}

pub(crate) fn key(name: &str) -> LockKey {
    LockKey::new(name).unwrap()
}

pub(crate) fn id(number: u8) -> LeaseId {
    LeaseId::from_bytes([number; 16])
}

pub(crate) fn shared(limit: u32) -> Mode {
    let limit = Limit::new(limit).unwrap();
    Mode::Shared { limit }
}

/// An exclusive request of this id for the key `k`, for 10 s.
pub(crate) fn by(number: u8) -> AcquireRequest {
    let holder = Holder::new(format!("worker-{number}")).unwrap();
    AcquireRequest::new(key("k"), id(number), ttl(10)).with_holder(holder)
}

/// A shared request of this id for the key `k`, for 10 s.
pub(crate) fn shared_by(number: u8, limit: u32, permits: u32) -> AcquireRequest {
    by(number).with_mode(shared(limit), permits).unwrap()
}

pub(crate) fn reader(number: u8) -> AcquireRequest {
    by(number).with_mode(Mode::READ, 1).unwrap()
}

#[track_caller]
pub(crate) fn granted(outcome: &TryAcquire) -> Grant {
    match outcome {
        TryAcquire::Granted(grant) => *grant,
        TryAcquire::Held(held) => panic!("held: {held}"),
    }
}

#[track_caller]
pub(crate) fn acquired(outcome: &Acquire) -> Grant {
    match outcome {
        Acquire::Granted(grant) => *grant,
        Acquire::TimedOut(held) => panic!("timed out: {held}"),
    }
}
