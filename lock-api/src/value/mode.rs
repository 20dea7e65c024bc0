//! How a lease shares its key.

use std::{fmt, num::NonZeroU32};

use crate::Error;

/// How a lease shares its key with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// Alone: a mutex, a write lock, a leader.
    #[default]
    Exclusive,
    /// Beside other shared leases, while the permits of all stay within the smallest limit among
    /// them: a semaphore's permit, or with [`Limit::UNLIMITED`] a read lock.
    Shared {
        /// How many permits may be live at once.
        limit: Limit,
    },
}

impl Mode {
    /// A read lock: shared without a limit.
    pub const READ: Self = Self::Shared { limit: Limit::UNLIMITED };

    /// Whether the lease is alone on its key.
    #[must_use]
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Exclusive)
    }
}

/// How many permits of a key may be live at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(Option<NonZeroU32>);

impl Limit {
    /// No limit, as for readers.
    pub const UNLIMITED: Self = Self(None);

    /// A limit of `permits`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for 0.
    pub fn new(permits: u32) -> Result<Self, Error> {
        match NonZeroU32::new(permits) {
            Some(permits) => Ok(Self(Some(permits))),
            None => Err(Error::invalid("limit", permits, "at least 1")),
        }
    }

    /// The number of permits; `None` if there is no limit.
    #[must_use]
    pub fn get(self) -> Option<u32> {
        self.0.map(NonZeroU32::get)
    }

    /// Whether `permits` live at once stay within the limit.
    #[must_use]
    pub fn allows(self, permits: u64) -> bool {
        self.0.is_none_or(|limit| permits <= u64::from(limit.get()))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(limit) => fmt::Display::fmt(&limit, f),
            None => f.write_str("unlimited"),
        }
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limit({self})")
    }
}
