//! What needs no server, opened to the fuzz targets and the benches. No part of the interface.
#![allow(missing_docs, reason = "hidden: for the fuzz targets and the benches alone")]
#![allow(missing_debug_implementations, reason = "as above")]

use leasehold::{AcquireRequest, LockKey, Result, Ttl};

use crate::{core, key::Keyspace, queue::Push, reply};

/// The names of one prefix.
pub struct Names(Keyspace);

impl Names {
    pub fn new(prefix: &str) -> Result<Self> {
        Keyspace::new(prefix).map(Self)
    }

    pub fn record(&self, key: &LockKey) -> String {
        self.0.record(key)
    }
}

/// What a request is in the words of the scripts.
pub fn words(request: &AcquireRequest) -> [String; 2] {
    [core::claim(request), core::mode(request)]
}

/// Reads an answer to an acquire.
pub fn is_grant(answer: &redis::Value, ttl: Ttl) -> bool {
    matches!(reply::acquired(answer, ttl), Ok(reply::Acquired::Granted { .. }))
}

/// Has every reader read one answer of a server, as bytes on the wire.
pub fn read_reply(wire: &[u8]) {
    let Ok(answer) = redis::parse_redis_value(wire) else {
        return;
    };
    let _acquired = reply::acquired(&answer, Ttl::MIN);
    let _released = reply::released(&answer);
    let _inspected = reply::inspected(&answer);
    let _revoked = reply::revoked(&answer);
    let _downgraded = reply::downgraded(&answer);
    let leases = match &answer {
        redis::Value::Array(parts) => parts.len().saturating_sub(1),
        _ => 1,
    };
    if let Ok((_now, extended)) = reply::extended(&answer, leases) {
        assert_eq!(extended.len(), leases, "an answer to each lease");
    }
}

/// Reads a message as it comes over a subscription.
pub fn read_push(text: &str) -> bool {
    Keyspace::new("lh").ok().and_then(|names| Push::read(text, &names)).is_some()
}

/// The key's name on a server, and what is read back from it.
pub fn there_and_back(key: &LockKey) -> Option<(String, Option<LockKey>)> {
    let names = Keyspace::new("lh").ok()?;
    let name = names.record(key);
    let back = names.key(&name);
    Some((name, back))
}

/// The key that a name on a server stands for.
pub fn key_of(name: &str) -> Option<LockKey> {
    Keyspace::new("lh").ok()?.key(name)
}
