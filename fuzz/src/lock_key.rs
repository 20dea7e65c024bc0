//! Keys: what is one, and that it comes back as it went in.

use leasehold::{Effect, ErrorKind, LockKey};

/// Any text is either refused with a readable reason, or a key that reads back as it was written.
pub fn lock_key(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let fits = |text: &str| {
        (1..=LockKey::MAX_LEN).contains(&text.len()) && !text.chars().any(char::is_control)
    };
    match LockKey::new(text) {
        Ok(key) => {
            assert!(fits(text), "took {text:?}");
            assert_eq!(key.as_str(), text);
            assert_eq!(key.to_string().parse::<LockKey>().as_ref().ok(), Some(&key));
            let prefixed = key.prefixed("tenant:").ok();
            let longer = format!("tenant:{text}");
            assert_eq!(prefixed.as_ref().map(LockKey::as_str), fits(&longer).then_some(&*longer));
        }
        Err(error) => {
            assert!(!fits(text), "refused {text:?}: {error}");
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
            assert!(!error.to_string().contains(char::is_control), "raw text in {error}");
        }
    }
}
