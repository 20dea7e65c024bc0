//! Urls of servers.

use leasehold::{Effect, ErrorKind};
use leasehold_redis::RedisConfig;

/// A password that no scheme, host or path is likely to hold.
const SECRET: &str = "s3cr3t";

/// Any text is taken or refused with a reason, and no password shows in either.
pub fn redis_url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if text.split_once("://").is_some_and(|(scheme, _)| scheme.contains(SECRET)) {
        return; // who takes a password for a scheme is told so by its name
    }
    let config = RedisConfig::new(text);
    assert!(!format!("{config:?}").contains(SECRET), "the settings show the password");
    if let Err(error) = config.validate() {
        let told = (error.kind(), error.effect());
        let kinds = [ErrorKind::Invalid, ErrorKind::Unsupported];
        assert!(kinds.contains(&told.0) && told.1 == Effect::None, "{error}");
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    }
}
