//! How much is done for a figure.

use std::time::Duration;

/// Whether figures are to mean something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    Full,
    /// As little as shows that everything runs.
    Quick,
}

impl Effort {
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }

    /// How often whatever is compared runs in turns.
    pub(crate) fn rounds(self) -> usize {
        self.pick(7, 1)
    }

    /// How long each of them runs in a round.
    pub(crate) fn round(self) -> Duration {
        Duration::from_millis(self.pick(700, 50))
    }
}
