//! Which keys are in use, page by page.

use std::fmt;

use crate::{Error, KeyState, LockKey, Result};

/// Which keys to list: those that begin with a prefix, a page at a time.
///
/// Checked as it is built: a backend can rely on every bound said here.
///
/// ```
/// use leasehold::ListRequest;
///
/// let request = ListRequest::new("payment:")?.page_size(50)?;
/// assert!(ListRequest::new("line\nbreak").is_err());
/// # let _ = request;
/// # Ok::<(), leasehold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRequest {
    prefix: String,
    page_size: usize,
    after: Option<Cursor>,
}

impl ListRequest {
    /// How many keys a page is to have unless it is said.
    pub const DEFAULT_PAGE: usize = 100;
    /// The largest page: a server serves nobody else while it looks for one.
    pub const MAX_PAGE: usize = 1_000;

    /// The first page of the keys that begin with `prefix`, taken literally, byte for byte: no character in it is a
    /// pattern. The empty prefix stands for all.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a prefix that no key can have: longer than
    /// [`LockKey::MAX_LEN`] bytes, or with a control character.
    pub fn new(prefix: impl Into<String>) -> Result<Self> {
        let prefix = prefix.into();
        if prefix.len() > LockKey::MAX_LEN {
            let bound = format!("at most {} bytes", LockKey::MAX_LEN);
            return Err(Error::invalid("prefix", format_args!("{} bytes", prefix.len()), bound));
        }
        if let Some((at, character)) = prefix.char_indices().find(|(_, c)| c.is_control()) {
            let value = format!("{character:?} at byte {at}");
            return Err(Error::invalid("prefix", value, "free of control characters"));
        }
        Ok(Self { prefix, page_size: Self::DEFAULT_PAGE, after: None })
    }

    /// How many keys a page is to have: 1 to [`MAX_PAGE`](Self::MAX_PAGE), [`DEFAULT_PAGE`](Self::DEFAULT_PAGE) unless set.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it is out of these bounds.
    pub fn page_size(mut self, keys: usize) -> Result<Self> {
        if keys == 0 || keys > Self::MAX_PAGE {
            return Err(Error::invalid("page_size", keys, format_args!("1 to {}", Self::MAX_PAGE)));
        }
        self.page_size = keys;
        Ok(self)
    }

    /// The page behind the one that said this.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// What the keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How many keys the page is to have.
    #[must_use]
    pub const fn page(&self) -> usize {
        self.page_size
    }

    /// Where the page begins; `None` for the first one.
    #[must_use]
    pub const fn cursor(&self) -> Option<&Cursor> {
        self.after.as_ref()
    }

    /// The same request behind another prefix, for wrappers.
    pub(crate) fn prefixed(&self, prefix: &str) -> Result<Self> {
        let longer = Self::new(format!("{prefix}{}", self.prefix))?;
        Ok(Self { page_size: self.page_size, after: self.after.clone(), ..longer })
    }
}

/// Where a listing goes on: a word of the backend that gave it, good for the same prefix on the same backend.
///
/// As text it can be carried through a url or a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// A backend's own word for where it stopped.
    #[must_use]
    pub fn new(word: impl Into<String>) -> Self {
        Self(word.into())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The error for a word that this backend never gave.
    #[must_use]
    pub fn refused(&self) -> Error {
        Error::invalid("cursor", format_args!("{:?}", self.0), "one that this backend gave")
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyPage {
    /// Keys in use, each read at one instant of its own.
    pub keys: Vec<ListedKey>,
    /// Where the next page begins; `None` if this is the last. A page without keys need not be the last.
    pub next: Option<Cursor>,
}

/// A key in use: held, or waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub key: LockKey,
    /// Who holds it and who waits, in one atomic reading.
    pub state: KeyState,
}
