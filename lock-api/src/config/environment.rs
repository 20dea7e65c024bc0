//! Fills a configuration from environment variables.

use std::{str::FromStr, time::Duration};

use super::ConfigBuilder;
use crate::{Error, Result};

impl ConfigBuilder {
    /// Fills from the process's environment: `<prefix>TTL=30s`, `<prefix>KEEP_ALIVE=true`, and so on, each
    /// setting of [`Config`](crate::Config) in capitals. What is not set is left as it is; variables under
    /// the prefix that name no setting are not looked at.
    ///
    /// ```
    /// use leasehold::Config;
    ///
    /// let config = Config::builder().env("LEASEHOLD_")?.build()?;
    /// # let _ = config;
    /// # Ok::<(), leasehold::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a value that can't be read, naming the setting and
    /// not the value, which may be a secret that stands in the wrong place.
    pub fn env(self, prefix: &str) -> Result<Self> {
        self.variables(|name| std::env::var(format!("{prefix}{name}")).ok())
    }

    /// As [`env`](Self::env), from any source: `lookup` is asked for `TTL`, `KEEP_ALIVE`, …
    ///
    /// # Errors
    /// As [`env`](Self::env).
    pub fn variables(mut self, lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let duration = |field: &'static str, now: Option<Duration>| {
            let parse = |text: &str| humantime::parse_duration(text).ok();
            read(field, &lookup, now, "a duration such as `30s`", parse)
        };
        self.ttl = duration("ttl", self.ttl)?;
        self.max_ttl = duration("max_ttl", self.max_ttl)?;
        self.wait = duration("wait", self.wait)?;
        self.op_timeout = duration("op_timeout", self.op_timeout)?;
        self.drift_fixed = duration("drift_fixed", self.drift_fixed)?;
        self.renew_interval = duration("renew_interval", self.renew_interval)?;
        self.renew_timeout = duration("renew_timeout", self.renew_timeout)?;
        self.expiring_before = duration("expiring_before", self.expiring_before)?;
        self.max_lifetime = duration("max_lifetime", self.max_lifetime)?;
        let (rate, keep) = (self.drift_rate_ppm, self.keep_alive);
        let number = |text: &str| u32::from_str(text).ok();
        self.drift_rate_ppm = read("drift_rate_ppm", &lookup, rate, "a whole number", number)?;
        let flag = |text: &str| bool::from_str(text).ok();
        self.keep_alive = read("keep_alive", &lookup, keep, "true or false", flag)?;
        self.label = lookup("LABEL").or(self.label);
        Ok(self)
    }
}

/// Reads a variable. What can't be read is not shown: a secret may stand in the wrong place.
fn read<T>(
    field: &'static str,
    lookup: impl Fn(&str) -> Option<String>,
    otherwise: Option<T>,
    bound: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    let Some(text) = lookup(&field.to_uppercase()) else {
        return Ok(otherwise);
    };
    match parse(text.trim()) {
        Some(value) => Ok(Some(value)),
        None => Err(Error::invalid(field, format_args!("{} bytes, not shown", text.len()), bound)),
    }
}
