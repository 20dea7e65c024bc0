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
const DENIED: [&str; 3] = ["NOAUTH", "WRONGPASS", "NOPERM"];
/// How scripts are told that their user may not do something: Redis, and then Valkey.
const NOT_PERMITTED: [&str; 2] =
    ["The user executing the script can't", "ACL failure in script: User"];

/// A failure before anything of the operation was sent.
pub(crate) fn connecting(error: RedisError) -> Error {
    let known = code_in(&error.to_string()).or_else(|| code_in(error.code().unwrap_or_default()));
    let denied = known.is_some_and(|code| DENIED.contains(&code));
    if error.kind() == redis::ErrorKind::AuthenticationFailed || denied {
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
    let text =
        format!("{} {}", error.code().unwrap_or_default(), error.detail().unwrap_or_default());
    if let Some(refused) = refused(&text) {
        return refused.with_source(error);
    }
    let (kind, message) = if error.is_timeout() {
        (ErrorKind::Unavailable, "no answer in time")
    } else if error.is_io_error() {
        (ErrorKind::Unavailable, "the connection broke before the answer")
    } else {
        (ErrorKind::Internal, "the server answered with an error that makes no sense here")
    };
    Error::new(kind, Effect::Unknown, message).with_source(error)
}

/// What a script caught for one of several keys.
pub(crate) fn caught(text: &str) -> Error {
    refused(text).unwrap_or_else(|| {
        let message = format!("the script failed: {text}");
        Error::new(ErrorKind::Internal, Effect::Unknown, message)
    })
}

/// The server's error, if it says that nothing was done.
fn refused(text: &str) -> Option<Error> {
    let plain = |kind, message: &'static str| Error::new(kind, Effect::None, message);
    if let Some(name) = foreign_record(text) {
        let message = format!("the value at `{name}` is not Leasehold's; it was left as it is");
        return Some(Error::new(ErrorKind::Foreign, Effect::None, message));
    }
    let code = code_in(text)?;
    let error = match code {
        "WRONGTYPE" => plain(
            ErrorKind::Foreign,
            "the value at the key's place is of another type; it was left as it is",
        ),
        "CROSSSLOT" => Error::unsupported("the keys lie in different slots of a cluster"),
        code if DENIED.contains(&code) => {
            plain(ErrorKind::Denied, "the server refused the command")
        }
        _ => plain(ErrorKind::Unavailable, "the server can't serve now"),
    };
    Some(error.with_code(code))
}

/// An answer of a shape that no script of ours gives.
pub(crate) fn nonsense(answer: &redis::Value) -> Error {
    let shown: String = format!("{answer:?}").chars().take(120).collect();
    Error::new(
        ErrorKind::Internal,
        Effect::Unknown,
        format!("the script's answer makes no sense: {shown}"),
    )
}

/// The first known code in an error's text. A script that raised it puts it somewhere in the middle, or says it in words.
fn code_in(text: &str) -> Option<&'static str> {
    if NOT_PERMITTED.iter().any(|words| text.contains(words)) {
        return Some("NOPERM");
    }
    let mut words = text.split_whitespace().map(|word| word.trim_start_matches('-'));
    words.find_map(|word| {
        let mut known = UNAVAILABLE.iter().chain(&DENIED).chain(&["WRONGTYPE", "CROSSSLOT"]);
        known.find(|code| **code == word).copied()
    })
}

/// The name that a script gave with `FOREIGN <name>`.
fn foreign_record(text: &str) -> Option<&str> {
    text.split_whitespace().skip_while(|word| *word != "FOREIGN").nth(1)
}
