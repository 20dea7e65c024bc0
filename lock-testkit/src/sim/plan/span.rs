//! How long, in time or in ttls.

use std::{fmt, time::Duration};

/// A length of time: fixed, or so many times the ttl of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// `300ms`: in whole nanoseconds, at most an hour.
    Time(Duration),
    /// `1.5 ttl`: thousandths of the [run's ttl](super::super::Sim::ttl), at most 1000 ttls.
    Ttls(u32),
}

impl Span {
    /// No time.
    pub const ZERO: Self = Self::Time(Duration::ZERO);
    /// The longest fixed time.
    pub const LONGEST: Duration = Duration::from_secs(3600);
    /// The most thousandths of a ttl.
    pub const MOST_MILLIS: u32 = 1_000_000;

    /// So many ttls.
    #[must_use]
    pub const fn ttls(count: u32) -> Self {
        Self::Ttls(count.saturating_mul(1_000))
    }

    /// How long it is where a ttl is that long.
    #[must_use]
    pub fn of(self, ttl: Duration) -> Duration {
        match self {
            Self::Time(time) => time,
            Self::Ttls(millis) => ttl.saturating_mul(millis) / 1_000,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => {
                let nanos = time.as_nanos();
                let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];
                let fits = |(_, size): &&(&str, u128)| nanos.is_multiple_of(*size);
                let (unit, size) = units.iter().find(fits).unwrap_or(&("ns", 1));
                write!(f, "{}{unit}", nanos / size)
            }
            Self::Ttls(millis) => match (millis / 1_000, millis % 1_000) {
                (whole, 0) => write!(f, "{whole} ttl"),
                (whole, part) => {
                    let part = format!("{part:03}");
                    write!(f, "{whole}.{} ttl", part.trim_end_matches('0'))
                }
            },
        }
    }
}
