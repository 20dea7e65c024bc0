//! Fills a configuration from environment variables.

use std::{fmt::Display, str::FromStr, time::Duration};

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
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a value that can't be read, naming the setting.
    pub fn env(self, prefix: &str) -> Result<Self> {
        self.variables(|name| std::env::var(format!("{prefix}{name}")).ok())
    }

    /// As [`env`](Self::env), from any source: `lookup` is asked for `TTL`, `KEEP_ALIVE`, …
    ///
    /// # Errors
    /// As [`env`](Self::env).
    pub fn variables(mut self, lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let duration = |field: &'static str, now: Option<Duration>| {
            read(field, &lookup, now, humantime::parse_duration)
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
        self.drift_rate_ppm = read("drift_rate_ppm", &lookup, self.drift_rate_ppm, u32::from_str)?;
        self.keep_alive = read("keep_alive", &lookup, self.keep_alive, bool::from_str)?;
        self.label = lookup("LABEL").or(self.label);
        Ok(self)
    }
}

fn read<T, E: Display>(
    field: &'static str,
    lookup: impl Fn(&str) -> Option<String>,
    otherwise: Option<T>,
    parse: impl Fn(&str) -> std::result::Result<T, E>,
) -> Result<Option<T>> {
    let Some(text) = lookup(&field.to_uppercase()) else {
        return Ok(otherwise);
    };
    match parse(text.trim()) {
        Ok(value) => Ok(Some(value)),
        Err(why) => Err(Error::invalid(field, text, format_args!("readable ({why})"))),
    }
}
