//! Settings from outside: environment variables, or any serde format. Both only fill; the one validation comes after.

use std::{str::FromStr, time::Duration};

use leasehold::{Error, Result};

use super::RedisConfig;
use crate::UnsafeSettings;

/// What was given; the rest keeps its value.
#[derive(Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default, deny_unknown_fields))]
struct Given {
    url: Option<String>,
    prefix: Option<String>,
    lanes: Option<usize>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    response_timeout: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    connection_timeout: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    user_timeout: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    tombstone_ttl: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    retention: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    ticket_ttl: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    max_ttl: Option<Duration>,
    quarantine: Option<bool>,
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    quarantine_margin: Option<Duration>,
    unsafe_settings: Option<UnsafeSettings>,
    #[cfg(feature = "tls")]
    root_certificate: Option<String>,
}

impl Given {
    fn fill(self, mut config: RedisConfig) -> RedisConfig {
        fn set<T>(field: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *field = given;
            }
        }
        set(&mut config.url, self.url);
        set(&mut config.prefix, self.prefix);
        set(&mut config.lanes, self.lanes);
        set(&mut config.response_timeout, self.response_timeout);
        set(&mut config.connection_timeout, self.connection_timeout);
        set(&mut config.user_timeout, self.user_timeout);
        set(&mut config.tombstone_ttl, self.tombstone_ttl.map(Some));
        set(&mut config.retention, self.retention);
        set(&mut config.ticket_ttl, self.ticket_ttl);
        set(&mut config.max_ttl, self.max_ttl);
        set(&mut config.quarantined, self.quarantine);
        set(&mut config.quarantine_margin, self.quarantine_margin);
        set(&mut config.unsafe_settings, self.unsafe_settings);
        #[cfg(feature = "tls")]
        set(&mut config.root_certificate, self.root_certificate.map(|pem| Some(pem.into_bytes())));
        config
    }

    fn from_variables(lookup: &impl Fn(&str) -> Option<String>) -> Result<Self> {
        let text = |field: &str| lookup(&field.to_uppercase());
        let duration = |field| {
            read(field, text(field), "a duration such as `30s`", |text| {
                humantime::parse_duration(text).ok()
            })
        };
        let flag = "true or false";
        Ok(Self {
            url: text("url"),
            prefix: text("prefix"),
            lanes: read("lanes", text("lanes"), "a whole number", |text| text.parse().ok())?,
            response_timeout: duration("response_timeout")?,
            connection_timeout: duration("connection_timeout")?,
            user_timeout: duration("user_timeout")?,
            tombstone_ttl: duration("tombstone_ttl")?,
            retention: duration("retention")?,
            ticket_ttl: duration("ticket_ttl")?,
            max_ttl: duration("max_ttl")?,
            quarantine: read("quarantine", text("quarantine"), flag, |text| {
                bool::from_str(text).ok()
            })?,
            quarantine_margin: duration("quarantine_margin")?,
            unsafe_settings: read(
                "unsafe_settings",
                text("unsafe_settings"),
                UnsafeSettings::NAMES,
                UnsafeSettings::named,
            )?,
            #[cfg(feature = "tls")]
            root_certificate: text("root_certificate"),
        })
    }
}

/// Reads a variable. What can't be read is not shown: a secret may stand in the wrong place.
fn read<T>(
    field: &'static str,
    text: Option<String>,
    bound: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    let Some(text) = text else {
        return Ok(None);
    };
    match parse(text.trim()) {
        Some(value) => Ok(Some(value)),
        None => Err(Error::invalid(field, format_args!("{} bytes, not shown", text.len()), bound)),
    }
}

impl RedisConfig {
    /// Fills from the process's environment: `<prefix>URL`, `<prefix>RESPONSE_TIMEOUT=250ms`, `<prefix>QUARANTINE=false`,
    /// and so on: each setting in capitals, with `QUARANTINE` for [`without_quarantine`](Self::without_quarantine) and
    /// [`UNSAFE_SETTINGS`](Self::unsafe_settings) one of `refuse`, `warn`, `ignore`. What is not set is left as it is; nothing is
    /// checked before [`connect`](Self::connect) or [`validate`](Self::validate).
    ///
    /// ```
    /// use leasehold_redis::RedisConfig;
    ///
    /// let config = RedisConfig::new("redis://127.0.0.1:6379").env("LEASEHOLD_REDIS_")?;
    /// config.validate()?;
    /// # Ok::<(), leasehold::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](leasehold::ErrorKind::Invalid) for a value that can't be read, naming the setting and not the value.
    pub fn env(self, prefix: &str) -> Result<Self> {
        self.variables(|name| std::env::var(format!("{prefix}{name}")).ok())
    }

    /// As [`env`](Self::env), from any source: `lookup` is asked for `URL`, `PREFIX`, …
    ///
    /// # Errors
    /// As [`env`](Self::env).
    pub fn variables(self, lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Ok(Given::from_variables(&lookup)?.fill(self))
    }
}

/// From any serde format (feature `serde`): `url` and what differs from the defaults, durations as text (`"250ms"`). Unknown
/// names are refused.
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for RedisConfig {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Given::deserialize(deserializer)?;
        let url = given.url.clone().ok_or_else(|| serde::de::Error::missing_field("url"))?;
        Ok(given.fill(Self::new(url)))
    }
}
