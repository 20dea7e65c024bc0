//! How far the end of a lease may lie from where the arithmetic puts it.

/// How the backend's clock may differ from the recorder's.
///
/// For two instants `r1 < r2` of the recorder, the backend's clock advances by at least
/// `(1 − rate)·(r2 − r1) − jitter` and at most `(1 + rate)·(r2 − r1) + jitter`, and the backend may let a
/// lease live up to `resolution` longer than its ttl. A lease granted at `t` with ttl `d` then ends in
/// `[t + lo(d), t + hi(d)]` of the recorder's clock, see [`Slack::span`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slack {
    /// Difference in rate, in parts per million (500 = 0.05 %).
    pub rate_ppm: u32,
    /// Jitter and small steps, in nanoseconds.
    pub jitter_ns: u64,
    /// How much later than its ttl a lease may end, in nanoseconds.
    pub resolution_ns: u64,
}

/// A range of nanoseconds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The least.
    pub lo: i64,
    /// The most.
    pub hi: i64,
}

impl Slack {
    /// One clock, no resolution: the virtual clock.
    pub const EXACT: Self = Self { rate_ppm: 0, jitter_ns: 0, resolution_ns: 0 };

    /// Whether the recorder's clock is the backend's, and leases end on the nanosecond: virtual time.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        *self == Self::EXACT
    }

    /// A backend on the recorder's machine that lets leases end up to `micros` microseconds late.
    #[must_use]
    pub fn late_by_micros(micros: u64) -> Self {
        Self { resolution_ns: micros.saturating_mul(1_000), ..Self::EXACT }
    }

    /// How long after its grant or refresh a lease of this ttl may end: `lo = (d − jitter)/(1 + rate)`,
    /// at least 1 ns, and `hi = (d + jitter + resolution)/(1 − rate)`.
    #[must_use]
    pub fn span(&self, ttl_ns: u64) -> Span {
        let (ttl, jitter) = (i128::from(ttl_ns), i128::from(self.jitter_ns));
        let resolution = i128::from(self.resolution_ns);
        let rate = i128::from(self.rate_ppm.min(999_999));
        let lo = ((ttl - jitter) * 1_000_000).div_euclid(1_000_000 + rate).max(1);
        let late = (ttl + jitter + resolution) * 1_000_000;
        let hi = -((-late).div_euclid(1_000_000 - rate));
        Span { lo: narrow(lo), hi: narrow(hi.max(lo)) }
    }

    /// Where the end of a lease lies when a reading says that `remaining_ns` remain of it: the reading
    /// may be rounded by the resolution.
    #[must_use]
    pub fn remaining(&self, remaining_ns: u64) -> Span {
        let span = self.span(remaining_ns);
        let resolution = narrow(i128::from(self.resolution_ns));
        Span { lo: (span.lo - resolution).max(1), hi: span.hi }
    }
}

/// Times stay far below the limits of `i64`, so that sums of a few cannot overflow.
fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX).min(i64::MAX / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_clock_leaves_no_room() {
        assert_eq!(Slack::EXACT.span(1_500), Span { lo: 1_500, hi: 1_500 });
        assert_eq!(Slack::EXACT.remaining(3), Span { lo: 3, hi: 3 });
    }

    #[test]
    fn bounds_are_rounded_outwards() {
        let slack = Slack { rate_ppm: 500_000, jitter_ns: 1, resolution_ns: 2 };
        assert_eq!(slack.span(10), Span { lo: 6, hi: 26 });
        assert_eq!(slack.span(1), Span { lo: 1, hi: 8 });
        assert_eq!(Slack::EXACT.span(u64::MAX).hi, i64::MAX / 8);
    }
}
