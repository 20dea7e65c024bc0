//! The defaults of a locker: one set of values, checked in one place, filled in three ways.

mod builder;
mod environment;
mod validate;

use std::time::Duration;

pub use builder::ConfigBuilder;

use crate::{Backoff, DriftAllowance, Holder, Result, Ttl};

/// The defaults and bounds of a [`Locker`](crate::Locker). Always valid: built and checked by
/// [`ConfigBuilder::build`], which also `serde` (feature `serde`) and
/// [`ConfigBuilder::env`] go through.
///
/// | Setting | Default | Meaning |
/// |---|---|---|
/// | `ttl` | 30 s | how long a lease lasts unless the call says otherwise |
/// | `max_ttl` | 60 s | the longest ttl a call may ask for; longer work uses keep-alive |
/// | `wait` | 10 s | how long `acquire` waits unless the call says otherwise |
/// | `op_timeout` | 1 s | how long one operation of the backend may take |
/// | `drift` | 1 % + 2 ms | what is taken off a ttl before the holder believes in it |
/// | `keep_alive` | off | whether leases are renewed until their guard is gone |
/// | `renew_interval` | a third of the ttl | how long after a grant or renewal the next one is sent |
/// | `renew_timeout` | a sixth of the ttl, at most `op_timeout` | how long one renewal may take |
/// | `expiring_before` | a quarter of the ttl | how long before its end a lease is said to be expiring |
/// | `max_lifetime` | none | after this long a lease is not renewed any more |
/// | `backoff` | none | poll with this policy instead of waiting in the backend's queue |
/// | `holder` | host and process | who holds, for people to read |
///
/// ```
/// use std::time::Duration;
/// use leasehold::Config;
///
/// let config = Config::builder().ttl(Duration::from_secs(5)).keep_alive(true).build()?;
/// assert_eq!(config.ttl().get(), Duration::from_secs(5));
///
/// let refused = Config::builder().ttl(Duration::from_millis(500)).build().unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "invalid ttl: must be at least op_timeout + drift = 1.007s, value=`500ms`"
/// );
/// # Ok::<(), leasehold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    ttl: Ttl,
    max_ttl: Ttl,
    wait: Duration,
    op_timeout: Duration,
    drift: DriftAllowance,
    keep_alive: bool,
    renew_interval: Option<Duration>,
    renew_timeout: Option<Duration>,
    expiring_before: Option<Duration>,
    max_lifetime: Option<Duration>,
    backoff: Option<Backoff>,
    holder: Holder,
}

impl Config {
    /// Starts from the defaults.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// How long a lease lasts unless the call says otherwise.
    #[must_use]
    pub const fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// The longest ttl a call may ask for.
    #[must_use]
    pub const fn max_ttl(&self) -> Ttl {
        self.max_ttl
    }

    /// How long `acquire` waits unless the call says otherwise.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }

    /// How long one operation of the backend may take.
    #[must_use]
    pub const fn op_timeout(&self) -> Duration {
        self.op_timeout
    }

    /// What is taken off a ttl before the holder believes in it.
    #[must_use]
    pub const fn drift(&self) -> DriftAllowance {
        self.drift
    }

    /// Whether leases are renewed until their guard is gone, unless the call says otherwise.
    #[must_use]
    pub const fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// How long after a grant or renewal of a lease of `ttl` the next renewal is sent.
    #[must_use]
    pub fn renew_interval(&self, ttl: Ttl) -> Duration {
        let third = ttl.get() / 3;
        self.renew_interval.map_or(third, |interval| interval.min(third))
    }

    /// How long one renewal of a lease of `ttl` may take.
    #[must_use]
    pub fn renew_timeout(&self, ttl: Ttl) -> Duration {
        let sixth = ttl.get() / 6;
        self.renew_timeout.map_or(sixth, |timeout| timeout.min(sixth)).min(self.op_timeout)
    }

    /// How long before its end a lease of `ttl` is said to be expiring.
    #[must_use]
    pub fn expiring_before(&self, ttl: Ttl) -> Duration {
        self.expiring_before.unwrap_or(ttl.get() / 4)
    }

    /// After this long a lease is not renewed any more.
    #[must_use]
    pub const fn max_lifetime(&self) -> Option<Duration> {
        self.max_lifetime
    }

    /// The polling policy that replaces the backend's queue, if one does.
    #[must_use]
    pub const fn backoff(&self) -> Option<&Backoff> {
        self.backoff.as_ref()
    }

    /// Who holds, for people to read.
    #[must_use]
    pub const fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Checks the ttl of one call against the bounds set here.
    pub(crate) fn checked_ttl(&self, ttl: Duration) -> Result<Ttl> {
        validate::call_ttl(ttl, self.max_ttl, self.drift)
    }

    /// How long one operation on a lease of `ttl` may take: a longer one would outlive the lease.
    pub(crate) fn op_timeout_for(&self, ttl: Ttl) -> Duration {
        self.op_timeout.min(ttl.get().saturating_sub(self.drift.of(ttl)))
    }
}

impl Default for Config {
    fn default() -> Self {
        let ttl = Ttl::saturating(Duration::from_secs(30));
        Self {
            ttl,
            max_ttl: Ttl::saturating(Duration::from_secs(60)),
            wait: Duration::from_secs(10),
            op_timeout: Duration::from_secs(1),
            drift: DriftAllowance::default(),
            keep_alive: false,
            renew_interval: None,
            renew_timeout: None,
            expiring_before: None,
            max_lifetime: None,
            backoff: None,
            holder: Holder::this_process(),
        }
    }
}
