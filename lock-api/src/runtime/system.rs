//! The one file that reads the real clock and draws real randomness.
#![expect(
    clippy::disallowed_methods,
    reason = "everything else takes time and randomness from here"
)]

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rand::Rng;

use super::Entropy;
use crate::{Clock, Sleep, Timestamp};

/// The longest single wait: after a suspension no wait is later than this.
const SLICE: Duration = Duration::from_secs(1);

/// Tokio's monotonic time, plus the time for which the machine was suspended.
///
/// It follows tokio's paused time, so `#[tokio::test(start_paused = true)]` drives whatever stands on it.
///
/// A lease goes on running out on its server while this machine sleeps, but the monotonic clock of Linux and
/// of macOS stands still then. Where the platform has a boot-time clock (Linux and Android) the time
/// spent suspended is added, so the first look at the clock after a resume already knows; a pending wait
/// notices within a second. Elsewhere a suspended holder can believe in its lease for as long
/// as it slept: the fencing token is what protects the resource then.
#[derive(Debug)]
pub struct SystemClock {
    origin: tokio::time::Instant,
    suspension: std::sync::Arc<Suspension>,
}

impl SystemClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        // In this order: a pause in between makes the clocks look further apart, and be compared more often.
        let suspension = std::sync::Arc::new(Suspension::from_now());
        Self { origin: tokio::time::Instant::now(), suspension }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now(self.origin, &self.suspension)
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        let (origin, suspension) = (self.origin, std::sync::Arc::clone(&self.suspension));
        Box::pin(async move {
            loop {
                let left = deadline.since(now(origin, &suspension));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(SLICE)).await;
            }
        })
    }
}

fn now(origin: tokio::time::Instant, suspension: &Suspension) -> Timestamp {
    // Before tokio's clock, which is the monotonic one unless a test has paused it: see `boot_ahead_of_monotonic`.
    let boot = boot_time();
    let elapsed = origin.elapsed();
    Timestamp::ORIGIN + (elapsed + suspension.total(boot, elapsed, boot_ahead_of_monotonic))
}

/// The machine's wall clock, since the beginning of 1970: for reports that compare it with a server's. Nothing is decided by
/// it: it can step at any time.
#[must_use]
pub fn wall_clock() -> Duration {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// How long the machine has been suspended since a first reading: by how much the boot-time clock has run
/// ahead of the monotonic one. It only grows.
#[derive(Debug)]
struct Suspension {
    boot_at_first: Option<Duration>,
    ahead_at_first: Duration,
    total_ns: AtomicU64,
}

impl Suspension {
    /// Below this, a difference is the time between the two readings, not a suspension.
    const NOISE: Duration = Duration::from_millis(1);

    fn from_now() -> Self {
        Self {
            boot_at_first: boot_time(),
            ahead_at_first: boot_ahead_of_monotonic(),
            total_ns: AtomicU64::new(0),
        }
    }

    /// The total, for a boot-time clock that showed `boot` when `elapsed` had passed on tokio's clock. Where that
    /// accounts for what has passed, it need not be measured (`ahead`): reading clocks is what takes the time here.
    fn total(
        &self,
        boot: Option<Duration>,
        elapsed: Duration,
        ahead: impl FnOnce() -> Duration,
    ) -> Duration {
        let known = Duration::from_nanos(self.total_ns.load(Ordering::Relaxed));
        match boot.zip(self.boot_at_first) {
            Some((boot, first)) if boot.saturating_sub(first) > elapsed + known + Self::NOISE => {
                self.measured(ahead())
            }
            Some(_) | None => known,
        }
    }

    fn measured(&self, ahead: Duration) -> Duration {
        let slept = ahead.saturating_sub(self.ahead_at_first);
        if slept > Self::NOISE {
            let slept = u64::try_from(slept.as_nanos()).unwrap_or(u64::MAX);
            self.total_ns.fetch_max(slept, Ordering::Relaxed);
        }
        Duration::from_nanos(self.total_ns.load(Ordering::Relaxed))
    }
}

/// The clock that goes on while the machine is suspended, where there is one.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn boot_time() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    Duration::try_from(clock_gettime(ClockId::Boottime)).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn boot_time() -> Option<Duration> {
    None
}

/// The boot-time clock is read first: a pause between the readings makes the difference too small, never
/// too large.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn boot_ahead_of_monotonic() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    let boot = read(ClockId::Boottime);
    boot.saturating_sub(read(ClockId::Monotonic))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn boot_ahead_of_monotonic() -> Duration {
    Duration::ZERO
}

/// The operating system's randomness, through a generator fit for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The boot-time clock showed 100 s and was 5 s ahead, of earlier suspensions.
    fn first() -> Suspension {
        Suspension {
            boot_at_first: Some(SECOND * 100),
            ahead_at_first: SECOND * 5,
            total_ns: AtomicU64::new(0),
        }
    }

    #[test]
    fn what_tokios_clock_accounts_for_is_no_suspension_and_is_not_measured() {
        let total = first().total(Some(SECOND * 103), SECOND * 3, || unreachable!("measured"));
        assert_eq!(total, Duration::ZERO);
    }

    #[test]
    fn a_suspension_is_seen_at_the_first_look_and_stays_counted() {
        let suspension = first();
        let total = suspension.total(Some(SECOND * 113), SECOND * 3, || SECOND * 15);
        assert_eq!(total, SECOND * 10);
        let total = suspension.total(Some(SECOND * 114), SECOND * 4, || unreachable!("measured"));
        assert_eq!(total, SECOND * 10);
    }

    #[test]
    fn time_that_passes_while_tokios_clock_is_paused_is_no_suspension() {
        let total = first().total(Some(SECOND * 113), Duration::ZERO, || SECOND * 5);
        assert_eq!(total, Duration::ZERO);
    }
}
