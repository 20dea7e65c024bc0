//! What a server says of itself.

use leasehold::{Effect, Error, ErrorKind, Result};

/// What one connection learnt when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// Whether it knows script flags (Redis 7, Valkey).
    pub(crate) script_flags: bool,
}

impl Server {
    /// Reads the `server` section of `INFO`.
    pub(super) fn read(info: &str) -> Result<Self> {
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let Some(version) = field("redis_version").and_then(version) else {
            let message = "the server's INFO names no redis_version";
            return Err(Error::new(ErrorKind::Unsupported, Effect::None, message));
        };
        if let Some(valkey) = field("valkey_version").and_then(self::version) {
            at_least(valkey, (7, 2), "Valkey")?;
        } else {
            at_least(version, (6, 2), "Redis")?;
        }
        if field("arch_bits") == Some("32") {
            return Err(Error::unsupported(
                "a 32-bit server can't count microseconds exactly in a script",
            ));
        }
        Ok(Self { script_flags: version >= (7, 0) })
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn at_least(version: (u32, u32), least: (u32, u32), name: &str) -> Result<()> {
    if version >= least {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "{name} {}.{} is older than the oldest supported, {}.{}",
        version.0, version.1, least.0, least.1
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_from_redis_6_2_and_valkey_7_2_on_are_served() {
        let flags = |info: &str| Server::read(info).map(|server| server.script_flags);
        assert!(!flags("redis_version:6.2.14\r\narch_bits:64\r\n").unwrap());
        assert!(flags("redis_version:7.0.15\r\n").unwrap());
        assert!(
            flags("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n").unwrap()
        );
    }

    #[test]
    fn an_older_or_narrower_server_is_refused_by_name() {
        for (info, name) in [
            ("redis_version:6.0.16\r\n", "Redis 6.0"),
            ("redis_version:7.2.4\r\nvalkey_version:7.1.0\r\n", "Valkey 7.1"),
            ("redis_version:7.0.1\r\narch_bits:32\r\n", "32-bit"),
        ] {
            let error = Server::read(info).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
