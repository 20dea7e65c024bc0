//! Steps of the server's wall clock.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold::{Clock, Timestamp};

/// How far apart the two clocks may run, in millionths; more is a step.
const DRIFT_PPM: u32 = 10_000;
/// Below this, a difference is rounding.
const NOISE: Duration = Duration::from_millis(10);
/// How often the clocks are compared.
const EVERY: Duration = Duration::from_millis(100);

/// The server's clock against ours, as its answers showed it, on whichever connection. Another server in its place
/// judges the same leases by its own clock: that is a step too.
#[derive(Debug, Default)]
pub(crate) struct ServerClock {
    last: Mutex<Option<Seen>>,
    /// When the next look is due, in ns of our clock.
    due: AtomicU64,
}

/// The server's clock showed `server` at some instant between the sending and the receipt.
#[derive(Clone, Copy, Debug)]
struct Seen {
    sent: Timestamp,
    received: Timestamp,
    server: u64,
}

/// By how much the server's clock stepped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// At the most so much: leases end that much sooner than their holders were told.
    Forward(Duration),
    /// At the least so much: leases last that much longer.
    Back(Duration),
}

impl ServerClock {
    /// Whether an answer to what was sent then is worth a look: not each one is.
    fn is_due(&self, sent: Timestamp) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        let next = (sent + EVERY).as_nanos();
        sent.as_nanos() >= due
            && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// An answer to what was sent at `sent` showed the server's clock.
    pub(crate) fn look(&self, sent: Timestamp, clock: &dyn Clock, server: u64) -> Option<Step> {
        self.is_due(sent).then(|| self.saw(sent, clock.now(), server)).flatten()
    }

    /// Compares an answer with the one before. Answers may be seen out of order: an older one than the last says nothing.
    fn saw(&self, sent: Timestamp, received: Timestamp, server: u64) -> Option<Step> {
        let seen = Seen { sent, received, server };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace(seen)?;
        if sent < before.received {
            *last = Some(before);
            return None;
        }
        step(before, seen)
    }
}

fn step(before: Seen, after: Seen) -> Option<Step> {
    let most = after.received.since(before.sent);
    let most = most + most * DRIFT_PPM / 1_000_000 + NOISE;
    let least = after.sent.since(before.received);
    let least = (least - least * DRIFT_PPM / 1_000_000).saturating_sub(NOISE);
    if after.server < before.server {
        let back = Duration::from_micros(before.server - after.server);
        let step = back.saturating_add(least);
        return (step > NOISE).then_some(Step::Back(step));
    }
    let passed = Duration::from_micros(after.server - before.server);
    if passed > most {
        Some(Step::Forward(passed.saturating_sub(least)))
    } else if passed < least {
        Some(Step::Back(least - passed))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn after(server: u64, local: u64) -> Option<Step> {
        let clock = ServerClock::default();
        assert_eq!(clock.saw(at(1_000), at(1_002), 50_000_000), None);
        clock.saw(at(1_000 + local), at(1_002 + local), server)
    }

    #[test]
    fn clocks_that_run_alike_or_drift_do_not_step() {
        assert_eq!(after(51_000_000, 1_000), None);
        assert_eq!(after(51_009_000, 1_000), None);
        assert_eq!(after(50_991_000, 1_000), None);
    }

    #[test]
    fn a_step_is_told_with_its_direction_and_no_forward_step_too_small() {
        let forward = after(50_000_000 + 61_000_000, 1_000);
        assert!(matches!(forward, Some(Step::Forward(by)) if by >= Duration::from_secs(60)));
        let back = after(0, 1_000);
        assert!(matches!(back, Some(Step::Back(by)) if by > Duration::from_secs(50)));
        let still = after(50_000_000, 1_000);
        assert!(matches!(still, Some(Step::Back(by)) if by > Duration::from_millis(900)));
    }

    #[test]
    fn a_slow_answer_or_one_out_of_order_is_no_step() {
        let clock = ServerClock::default();
        assert_eq!(clock.saw(at(1_000), at(3_000), 52_000_000), None);
        assert_eq!(clock.saw(at(1_500), at(3_100), 50_500_000), None);
        assert_eq!(clock.saw(at(3_050), at(3_060), 52_050_000), None);
    }
}
