//! What a server answers, whoever it is.

use leasehold_redis::fuzzing::{read_push, read_reply};

/// Any bytes from a server end in an answer or an error.
pub fn redis_reply(data: &[u8]) {
    read_reply(data);
    if let Ok(text) = std::str::from_utf8(data) {
        read_push(text);
    }
}
