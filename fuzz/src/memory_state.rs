//! The state machine of lock-memory against what must hold after any operation.

mod decode;
mod watch;

use std::time::Duration;

use leasehold::Timestamp;
use leasehold_memory::state::{Operation, Retention, State};

use self::{
    decode::Decoder,
    watch::{Seen, Watch, own_grant},
};

/// Any sequence of operations, at any instants, keeps exclusion, token order, ownership and the queue's order.
pub fn memory_state(data: &[u8]) {
    let retention = Retention { time: Duration::from_secs(1 << 30), ids: usize::MAX };
    let mut state = State::new(retention);
    let mut watch = Watch::default();
    let mut now = Timestamp::ORIGIN;
    for step in Decoder::new(data) {
        now = now + step.pause;
        // Time is an operation of its own, so that what it does is not put down to the next one.
        watch.check(&seen(&mut state, now, &Operation::Tick));
        if !watch.is_abandoned(&step.operation) {
            watch.check(&seen(&mut state, now, &step.operation));
        }
    }
}

fn seen<'a>(state: &mut State, now: Timestamp, operation: &'a Operation) -> Seen<'a> {
    let before = state.inspect(now);
    let (outcome, wake_ups) = state.apply(now, operation);
    let after = state.inspect(now);
    let waiters = wake_ups.iter().map(|wake_up| (wake_up.grant.token, wake_up.id));
    let grants = waiters.chain(own_grant(operation, &outcome)).collect();
    Seen { now, operation, outcome, grants, before, after }
}
