//! How long a lease is asked for.

use std::{fmt, time::Duration};

use crate::Error;

/// How long a lease lasts from its grant or its extension, on the backend's clock.
///
/// From [`Ttl::MIN`] to [`Ttl::MAX`], in whole microseconds: a finer duration is rounded up, so a
/// lease is never shorter than what was asked.
///
/// ```
/// use std::time::Duration;
/// use leasehold::Ttl;
///
/// assert_eq!(Ttl::new(Duration::from_secs(30))?.get(), Duration::from_secs(30));
/// let refused = Ttl::new(Duration::ZERO).unwrap_err();
/// assert_eq!(refused.to_string(), "invalid ttl: must be at least 1ms, value=`0ns`");
/// # Ok::<(), leasehold::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(Duration);

impl Ttl {
    /// The shortest lease: one millisecond.
    pub const MIN: Self = Self(Duration::from_millis(1));
    /// The longest lease: 30 days. A [`Config`](crate::Config) sets a much lower bound of its own.
    pub const MAX: Self = Self(Duration::from_secs(30 * 24 * 60 * 60));

    /// Checks `ttl` and rounds it up to a whole microsecond.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) below [`MIN`](Self::MIN) or above
    /// [`MAX`](Self::MAX).
    pub fn new(ttl: Duration) -> Result<Self, Error> {
        Self::named("ttl", ttl)
    }

    /// Like [`new`](Self::new), but the error says `field`.
    pub(crate) fn named(field: &'static str, ttl: Duration) -> Result<Self, Error> {
        if ttl < Self::MIN.0 {
            return Err(Error::invalid(field, format_args!("{ttl:?}"), "at least 1ms"));
        }
        if ttl > Self::MAX.0 {
            return Err(Error::invalid(field, format_args!("{ttl:?}"), "at most 30 days"));
        }
        let micros = ttl.as_nanos().div_ceil(1_000);
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        Ok(Self(Duration::from_micros(micros)))
    }

    /// The ttl nearest to `ttl` within the bounds.
    pub(crate) fn saturating(ttl: Duration) -> Self {
        Self::new(ttl.clamp(Self::MIN.0, Self::MAX.0)).unwrap_or(Self::MAX)
    }

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// The duration in microseconds.
    #[must_use]
    pub fn as_micros(self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }
}

impl TryFrom<Duration> for Ttl {
    type Error = Error;

    fn try_from(ttl: Duration) -> Result<Self, Error> {
        Self::new(ttl)
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ttl({:?})", self.0)
    }
}
