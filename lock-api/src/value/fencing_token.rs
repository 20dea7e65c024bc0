//! The number that protects the resource.

use std::{fmt, num::NonZeroU64};

/// A number per key that only grows: every grant of a key carries a greater one than all before.
///
/// A lease can end while its holder is paused and does not know it. What protects the data then is
/// the *resource*: it remembers the greatest token it has seen and refuses a smaller one, on read and
/// on write. Where tokens of two backends or two shared leases can be equal, compare the lease id too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(NonZeroU64);

impl FencingToken {
    /// The least token there is.
    pub(crate) const LEAST: Self = Self(NonZeroU64::MIN);

    /// The token with this number; `None` for 0, which stands for "never granted".
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, to send along to the resource.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FencingToken({})", self.0)
    }
}
