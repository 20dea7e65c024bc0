//! What is locked.

use std::{fmt, sync::Arc};

use crate::Error;

/// The name of what is locked, such as `payment:order-123`.
///
/// 1 to [`LockKey::MAX_LEN`] bytes of UTF-8 without control characters. Braces, spaces, glob
/// characters and any script are fine: a backend encodes what it must. Two spellings that differ in
/// bytes (for instance in Unicode normalisation) are two keys. Cloning is cheap.
///
/// ```
/// use leasehold::LockKey;
///
/// let key = LockKey::new("payment:order-123")?;
/// assert_eq!(key.as_str(), "payment:order-123");
/// assert!(LockKey::new("").is_err());
/// assert!(LockKey::new("line\nbreak").is_err());
/// # Ok::<(), leasehold::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockKey(Arc<str>);

impl LockKey {
    /// The longest key, in bytes.
    pub const MAX_LEN: usize = 512;

    /// Checks `key` and makes it a lock key.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it is empty, longer than
    /// [`MAX_LEN`](Self::MAX_LEN) bytes, or holds a control character.
    pub fn new(key: impl AsRef<str>) -> Result<Self, Error> {
        let key = key.as_ref();
        if key.is_empty() {
            return Err(Error::invalid("key", "\"\"", "at least 1 byte"));
        }
        if key.len() > Self::MAX_LEN {
            let bound = format!("at most {} bytes", Self::MAX_LEN);
            return Err(Error::invalid("key", format_args!("{} bytes", key.len()), bound));
        }
        if let Some((at, character)) = key.char_indices().find(|(_, c)| c.is_control()) {
            let value = format!("{character:?} at byte {at}");
            return Err(Error::invalid("key", value, "free of control characters"));
        }
        Ok(Self(Arc::from(key)))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new key with `prefix` put before this one, as the prefix wrapper does for tenants.
    ///
    /// # Errors
    /// As [`LockKey::new`], for the whole.
    pub fn prefixed(&self, prefix: &str) -> Result<Self, Error> {
        Self::new(format!("{prefix}{self}"))
    }
}

impl fmt::Display for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl TryFrom<&str> for LockKey {
    type Error = Error;

    fn try_from(key: &str) -> Result<Self, Error> {
        Self::new(key)
    }
}

impl std::str::FromStr for LockKey {
    type Err = Error;

    fn from_str(key: &str) -> Result<Self, Error> {
        Self::new(key)
    }
}

/// What the façade takes as a key: text, or a [`LockKey`] that was checked before.
pub trait IntoLockKey {
    /// Checks the key.
    ///
    /// # Errors
    /// As [`LockKey::new`].
    fn into_lock_key(self) -> Result<LockKey, Error>;
}

impl IntoLockKey for LockKey {
    fn into_lock_key(self) -> Result<LockKey, Error> {
        Ok(self)
    }
}

impl IntoLockKey for &LockKey {
    fn into_lock_key(self) -> Result<LockKey, Error> {
        Ok(self.clone())
    }
}

impl IntoLockKey for &str {
    fn into_lock_key(self) -> Result<LockKey, Error> {
        LockKey::new(self)
    }
}

impl IntoLockKey for String {
    fn into_lock_key(self) -> Result<LockKey, Error> {
        LockKey::new(self)
    }
}

impl IntoLockKey for &String {
    fn into_lock_key(self) -> Result<LockKey, Error> {
        LockKey::new(self)
    }
}

/// A key that was checked before; a bad one is reported by whoever takes it.
impl IntoLockKey for Result<LockKey, Error> {
    fn into_lock_key(self) -> Self {
        self
    }
}
