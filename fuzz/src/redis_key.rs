//! Keys as names on a server.

use leasehold::LockKey;
use leasehold_redis::fuzzing::{key_of, there_and_back};

/// Every key has a name of its own, in one Cluster slot, from which it is read back; and no name stands for two.
pub fn redis_key(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(key) = LockKey::new(text) {
        let (name, back) = there_and_back(&key).expect("the prefix is one");
        assert_eq!(back.as_ref(), Some(&key), "{name:?}");
        let tag = name.strip_prefix("lh:{").and_then(|rest| rest.strip_suffix('}'));
        let plain = |tag: &str| !tag.contains(['{', '}', '*', '?', '[', ']', '\\', ',', ' ']);
        assert!(tag.is_some_and(|tag| !tag.is_empty() && plain(tag)), "{name:?}");
    }
    // A name that somebody else made may be read, but only as a key that has a name.
    if let Some(key) = key_of(text) {
        assert!(there_and_back(&key).is_some_and(|(_, back)| back == Some(key)), "{text:?}");
    }
}
