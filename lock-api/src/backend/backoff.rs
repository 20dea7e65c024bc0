//! How long to wait between tries.

use std::time::Duration;

use crate::{Error, Result, runtime::Entropy};

/// Jittered exponential backoff: how often to try, and how long to wait in between.
///
/// The `n`-th wait is `first × multiplierⁿ`, at most `cap` (the first one too), and a share `jitter` of it is random.
///
/// ```
/// use std::time::Duration;
/// use leasehold::Backoff;
///
/// let patient = Backoff::new(Duration::from_millis(5), Duration::from_millis(250))?
///     .with_multiplier(2.0)?
///     .with_jitter(0.5)?
///     .with_attempts(20)?;
/// assert!(Backoff::new(Duration::ZERO, Duration::from_secs(1)).is_err());
/// # let _ = patient;
/// # Ok::<(), leasehold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    multiplier: f64,
    jitter: f64,
    attempts: Option<u32>,
}

impl Backoff {
    /// Waits from `first` up to `cap`; doubling, half of each wait random, as many tries as the deadline allows.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a first wait below 1 ms, or a cap below it.
    pub fn new(first: Duration, cap: Duration) -> Result<Self> {
        if first < Duration::from_millis(1) {
            let value = format!("{first:?}");
            return Err(Error::invalid("backoff.first", value, "at least 1ms"));
        }
        if cap < first {
            let bound = format!("at least the first wait of {first:?}");
            return Err(Error::invalid("backoff.cap", format_args!("{cap:?}"), bound));
        }
        Ok(Self { first, cap, ..Self::default() })
    }

    /// Each wait is this many times the one before.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) outside of 1 to 100.
    pub fn with_multiplier(mut self, multiplier: f64) -> Result<Self> {
        if !(1.0..=100.0).contains(&multiplier) {
            return Err(Error::invalid("backoff.multiplier", multiplier, "from 1 to 100"));
        }
        self.multiplier = multiplier;
        Ok(self)
    }

    /// This share of each wait is random: 0 for none, 1 for anything from nothing to the whole wait.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) outside of 0 to 1.
    pub fn with_jitter(mut self, jitter: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&jitter) {
            return Err(Error::invalid("backoff.jitter", jitter, "from 0 to 1"));
        }
        self.jitter = jitter;
        Ok(self)
    }

    /// At most this many tries, the first included.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for 0.
    pub fn with_attempts(mut self, attempts: u32) -> Result<Self> {
        if attempts == 0 {
            return Err(Error::invalid("backoff.attempts", attempts, "at least 1"));
        }
        self.attempts = Some(attempts);
        Ok(self)
    }

    /// The waits, one after the other; they end with the attempts.
    #[must_use]
    pub fn delays<'a>(&self, entropy: &'a dyn Entropy) -> BackoffDelays<'a> {
        BackoffDelays { policy: *self, next: self.first.as_secs_f64(), waits: 0, entropy }
    }
}

impl Default for Backoff {
    /// 10 ms to 250 ms, doubling, half of each wait random, no limit of attempts.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(10),
            cap: Duration::from_millis(250),
            multiplier: 2.0,
            jitter: 0.5,
            attempts: None,
        }
    }
}

/// The waits of a [`Backoff`].
#[derive(Clone, Debug)]
pub struct BackoffDelays<'a> {
    policy: Backoff,
    next: f64,
    waits: u32,
    entropy: &'a dyn Entropy,
}

impl Iterator for BackoffDelays<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.waits = self.waits.saturating_add(1);
        if self.policy.attempts.is_some_and(|attempts| self.waits >= attempts) {
            return None;
        }
        let whole = self.next.min(self.policy.cap.as_secs_f64());
        self.next = whole * self.policy.multiplier;
        let random = whole * self.policy.jitter * self.entropy.unit();
        let wait = Duration::try_from_secs_f64(whole - random).unwrap_or(self.policy.cap);
        Some(wait.max(Duration::from_millis(1)))
    }
}
