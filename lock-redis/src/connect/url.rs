//! Where the server is, from a url whose password never shows.

use leasehold::{Error, Result};
use redis::{ConnectionInfo, IntoConnectionInfo};

/// Reads a url. What is wrong with it is said without repeating it: it may hold a password.
pub(super) fn parse(url: &str) -> Result<ConnectionInfo> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "redis" | "valkey" | "unix" | "redis+unix" | "valkey+unix" => {}
        "rediss" | "valkeys" => check_tls(url)?,
        _ => {
            let bound = "redis://…, rediss://…, unix:///… or redis+unix:///…";
            let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
            return Err(Error::invalid("url", shown(scheme), bound));
        }
    }
    url.into_connection_info().map_err(|error| {
        let why = error.to_string();
        let why = why.split(" - ").next().unwrap_or_default();
        Error::invalid("url", shown(scheme), format_args!("a Redis url ({why})"))
    })
}

fn check_tls(url: &str) -> Result<()> {
    if !cfg!(feature = "tls") {
        return Err(Error::unsupported("rediss:// needs the feature `tls` of leasehold-redis"));
    }
    if url.contains('#') {
        return Err(Error::unsupported(
            "#insecure accepts any certificate and is not offered: give a root certificate",
        ));
    }
    Ok(())
}

/// The scheme alone: the rest may be a secret, also where it does not parse. What stands before a lone colon may be one too.
fn shown(scheme: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '+';
    if !scheme.is_empty() && scheme.len() <= 16 && scheme.chars().all(plain) {
        format!("{scheme}:…")
    } else {
        "…".to_owned()
    }
}
