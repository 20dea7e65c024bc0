//! How much a check may explore.

use std::fmt;

/// Bounds on a check. They count configurations, never seconds, so that a verdict is repeatable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Configurations that may be made over the whole check.
    pub explored: u64,
    /// Configurations that may be alive at once.
    pub alive: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { explored: 50_000_000, alive: 100_000 }
    }
}

/// Which bound ended a check without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reached {
    /// This many configurations were made.
    Explored(u64),
    /// This many configurations were alive at once.
    Alive(usize),
    /// This many operations were open at once.
    Open(usize),
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explored(count) => write!(f, "{count} configurations explored"),
            Self::Alive(count) => write!(f, "{count} configurations alive at once"),
            Self::Open(count) => write!(f, "{count} operations open at once"),
        }
    }
}
