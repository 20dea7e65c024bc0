//! Fills a [`Config`]; nothing is checked before `build`.

use std::time::Duration;

use super::{Config, validate};
use crate::{Backoff, DriftAllowance, Holder, Result};

/// Fills a [`Config`]; what is not set keeps its default. Nothing is checked before
/// [`build`](Self::build).
///
/// With the feature `serde` it can be read from any format, durations as text:
/// `ttl = "30s"`, `wait = "1m 30s"`, `keep_alive = true`. Unknown names are refused.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default, deny_unknown_fields))]
#[must_use]
pub struct ConfigBuilder {
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) ttl: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) max_ttl: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) wait: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) op_timeout: Option<Duration>,
    pub(super) drift_rate_ppm: Option<u32>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) drift_fixed: Option<Duration>,
    pub(super) keep_alive: Option<bool>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) renew_interval: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) renew_timeout: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) expiring_before: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub(super) max_lifetime: Option<Duration>,
    pub(super) label: Option<String>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) backoff: Option<Backoff>,
}

impl ConfigBuilder {
    /// How long a lease lasts unless the call says otherwise. At least `op_timeout` + drift, at most
    /// `max_ttl`.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The longest ttl a call may ask for; at most [`Ttl::MAX`](crate::Ttl::MAX).
    pub const fn max_ttl(mut self, max_ttl: Duration) -> Self {
        self.max_ttl = Some(max_ttl);
        self
    }

    /// How long `acquire` waits unless the call says otherwise; zero is fail-fast.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// How long one operation of the backend may take; from 1 ms to 1 minute.
    pub const fn op_timeout(mut self, op_timeout: Duration) -> Self {
        self.op_timeout = Some(op_timeout);
        self
    }

    /// What is taken off a ttl before the holder believes in it: millionths of the ttl, and a fixed part.
    pub const fn drift(mut self, rate_ppm: u32, fixed: Duration) -> Self {
        self.drift_rate_ppm = Some(rate_ppm);
        self.drift_fixed = Some(fixed);
        self
    }

    /// Whether leases are renewed until their guard is gone.
    pub const fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// How long after a grant or renewal the next one is sent; above zero and below half the ttl. A
    /// call with a shorter ttl renews after a third of it.
    pub const fn renew_interval(mut self, interval: Duration) -> Self {
        self.renew_interval = Some(interval);
        self
    }

    /// How long one renewal may take; above zero.
    pub const fn renew_timeout(mut self, timeout: Duration) -> Self {
        self.renew_timeout = Some(timeout);
        self
    }

    /// How long before its end a lease is said to be expiring; above zero and below the ttl.
    pub const fn expiring_before(mut self, before: Duration) -> Self {
        self.expiring_before = Some(before);
        self
    }

    /// After this long a lease is not renewed any more; at least the ttl.
    pub const fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = Some(lifetime);
        self
    }

    /// What this process calls itself in every lease it holds; see [`Holder`].
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Polls with this policy instead of waiting in the backend's queue.
    pub const fn backoff(mut self, policy: Backoff) -> Self {
        self.backoff = Some(policy);
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for the first setting out of its bound, naming
    /// it, its value and the bound.
    pub fn build(self) -> Result<Config> {
        let default = Config::default();
        let drift = match (self.drift_rate_ppm, self.drift_fixed) {
            (None, None) => default.drift,
            (rate, fixed) => DriftAllowance::new(
                rate.unwrap_or(DriftAllowance::DEFAULT_RATE_PPM),
                fixed.unwrap_or(DriftAllowance::DEFAULT_FIXED),
            )?,
        };
        let holder = match &self.label {
            Some(label) => Holder::this_process().with_label(label)?,
            None => default.holder,
        };
        let max_ttl = validate::max_ttl(self.max_ttl.unwrap_or(default.max_ttl.get()))?;
        let op_timeout = validate::op_timeout(self.op_timeout.unwrap_or(default.op_timeout))?;
        let ttl = self.ttl.unwrap_or(default.ttl.get().min(max_ttl.get()));
        let ttl = validate::default_ttl(ttl, max_ttl, op_timeout, drift)?;
        validate::renewal(&self, ttl)?;
        Ok(Config {
            ttl,
            max_ttl,
            wait: self.wait.unwrap_or(default.wait),
            op_timeout,
            drift,
            keep_alive: self.keep_alive.unwrap_or(default.keep_alive),
            renew_interval: self.renew_interval,
            renew_timeout: self.renew_timeout,
            expiring_before: self.expiring_before,
            max_lifetime: self.max_lifetime,
            backoff: self.backoff,
            holder,
        })
    }
}
