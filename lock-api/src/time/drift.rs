//! How far two clocks may drift apart while a lease lasts.

use std::time::Duration;

use crate::{Error, Result, Timestamp, Ttl};

/// What is taken off a lease's ttl before the holder believes in it: a share of the ttl for clocks
/// that run at different rates, and a fixed part for rounding.
///
/// Redlock's page calls it the clock drift factor; most libraries take 1 % and 2 ms, as we do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftAllowance {
    rate_ppm: u32,
    fixed: Duration,
}

impl DriftAllowance {
    pub(crate) const DEFAULT_RATE_PPM: u32 = 10_000;
    pub(crate) const DEFAULT_FIXED: Duration = Duration::from_millis(2);

    /// No drift at all: for backends on the very same clock.
    pub const NONE: Self = Self { rate_ppm: 0, fixed: Duration::ZERO };

    /// `rate_ppm` millionths of the ttl, and `fixed` on top.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a rate of half the ttl or more.
    pub fn new(rate_ppm: u32, fixed: Duration) -> Result<Self> {
        if rate_ppm >= 500_000 {
            return Err(Error::invalid("drift_rate_ppm", rate_ppm, "below 500000"));
        }
        Ok(Self { rate_ppm, fixed })
    }

    /// What is taken off this ttl.
    #[must_use]
    pub fn of(self, ttl: Ttl) -> Duration {
        let share = ttl.get().as_nanos().saturating_mul(u128::from(self.rate_ppm)) / 1_000_000;
        let share = Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX));
        share.saturating_add(self.fixed)
    }

    /// Until when a lease granted or extended at or after `since` is certainly live.
    #[must_use]
    pub fn valid_until(self, since: Timestamp, ttl: Ttl) -> Timestamp {
        since + ttl.get().saturating_sub(self.of(ttl))
    }
}

impl Default for DriftAllowance {
    fn default() -> Self {
        Self { rate_ppm: 10_000, fixed: Duration::from_millis(2) }
    }
}
