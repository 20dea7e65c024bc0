//! What the server and the client library say, in Leasehold's words.

use leasehold::{Effect, Error, ErrorKind};
use redis::RedisError;

/// Codes with which a server that can't serve now refuses a command before it runs.
const UNAVAILABLE: [&str; 11] = [
    "READONLY",
    "OOM",
    "LOADING",
    "BUSY",
    "MASTERDOWN",
    "NOREPLICAS",
    "CLUSTERDOWN",
    "MISCONF",
    "TRYAGAIN",
    "MOVED",
    "ASK",
];
/// Codes with which it refuses the client.
const DENIED: [&str; 4] = ["NOAUTH", "WRONGPASS", "NOPERM", "NOAUTH:"];

/// A failure before anything of the operation was sent.
pub(crate) fn connecting(error: RedisError) -> Error {
    let known = known_code(&error);
    if error.kind() == redis::ErrorKind::AuthenticationFailed || is_denied(known) {
        return Error::new(ErrorKind::Denied, Effect::None, "the server refused the credentials")
            .with_code(known.unwrap_or("WRONGPASS"))
            .with_source(error);
    }
    if error.kind() == redis::ErrorKind::InvalidClientConfig {
        return Error::new(
            ErrorKind::Invalid,
            Effect::None,
            "the server can't be reached with these settings",
        )
        .with_source(error);
    }
    let message = if error.is_connection_refusal() {
        "nobody listens at the server's address"
    } else if error.is_timeout() {
        "the server did not answer in time to connect"
    } else {
        "could not connect to the server"
    };
    let plain = Error::new(ErrorKind::Unavailable, Effect::None, message);
    match known {
        Some(code) => plain.with_code(code),
        None => plain,
    }
    .with_source(error)
}

/// A failure of a command that was handed to a connection.
pub(crate) fn command(error: RedisError) -> Error {
    if let Some(key) = foreign_record(&error) {
        let message = format!("the value at `{key}` is not Leasehold's; it was left as it is");
        return Error::new(ErrorKind::Foreign, Effect::None, message);
    }
    match known_code(&error) {
        Some("WRONGTYPE") => Error::new(
            ErrorKind::Foreign,
            Effect::None,
            "the value at the key's place is of another type; it was left as it is",
        )
        .with_code("WRONGTYPE"),
        Some("CROSSSLOT") => Error::unsupported("the keys lie in different slots of a cluster")
            .with_code("CROSSSLOT"),
        Some(code) if is_denied(Some(code)) => {
            Error::new(ErrorKind::Denied, Effect::None, "the server refused the command")
                .with_code(code)
        }
        Some(code) => {
            Error::new(ErrorKind::Unavailable, Effect::None, "the server can't serve now")
                .with_code(code)
        }
        None if error.is_timeout() => {
            Error::new(ErrorKind::Unavailable, Effect::Unknown, "no answer in time")
        }
        None if error.is_io_error() => Error::new(
            ErrorKind::Unavailable,
            Effect::Unknown,
            "the connection broke before the answer",
        ),
        None => Error::new(
            ErrorKind::Internal,
            Effect::Unknown,
            "the server answered with an error that makes no sense here",
        ),
    }
    .with_source(error)
}

/// An answer of a shape that no script of ours gives.
pub(crate) fn nonsense(answer: &redis::Value) -> Error {
    let mut shown = format!("{answer:?}");
    shown.truncate(120);
    Error::new(
        ErrorKind::Internal,
        Effect::Unknown,
        format!("the script's answer makes no sense: {shown}"),
    )
}

fn is_denied(code: Option<&str>) -> bool {
    code.is_some_and(|code| DENIED.contains(&code))
}

/// The code of the error, also where it stands in the middle of the text because a script raised it.
fn known_code(error: &RedisError) -> Option<&'static str> {
    let own = error.code().unwrap_or_default();
    let raised = error.detail().unwrap_or_default();
    // What a script may not do is said in words alone.
    if raised.contains("The user executing the script can't") {
        return Some("NOPERM");
    }
    let words = || {
        std::iter::once(own)
            .chain(raised.split_whitespace().map(|word| word.trim_start_matches('-')))
    };
    let known = || UNAVAILABLE.iter().chain(&DENIED).chain(&["WRONGTYPE", "CROSSSLOT"]).copied();
    if own != "ERR" && !own.is_empty() {
        return known().find(|code| *code == own);
    }
    words().find_map(|word| known().find(|code| *code == word))
}

/// The name that a script gave with `FOREIGN <name>`.
fn foreign_record(error: &RedisError) -> Option<String> {
    let text =
        format!("{} {}", error.code().unwrap_or_default(), error.detail().unwrap_or_default());
    let mut words = text.split_whitespace().skip_while(|word| *word != "FOREIGN");
    words.nth(1).map(str::to_owned)
}
