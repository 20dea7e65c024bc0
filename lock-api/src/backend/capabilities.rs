//! What a backend can do.

use std::{collections::BTreeSet, fmt, time::Duration};

/// Something that not every backend can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Waiters stand in a queue, first come first served (G6), and a freed key is handed on.
    Queue,
    /// Shared leases with permits and limits: semaphores and readers.
    Shared,
    /// Several keys in one request, all or nothing.
    SeveralKeys,
    /// A lease can stay taken for a minimum hold.
    MinHold,
    /// Administration: [`AdminBackend`](crate::AdminBackend), with `revoke` and `list`.
    Revoke,
    /// [`BatchBackend`](crate::BatchBackend).
    Batch,
    /// [`DowngradeBackend`](crate::DowngradeBackend).
    Downgrade,
}

impl Capability {
    /// Every capability there is.
    pub const ALL: [Self; 7] = [
        Self::Queue,
        Self::Shared,
        Self::SeveralKeys,
        Self::MinHold,
        Self::Revoke,
        Self::Batch,
        Self::Downgrade,
    ];

    /// The name under which the conformance suite knows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Shared => "shared",
            Self::SeveralKeys => "several_keys",
            Self::MinHold => "min_hold",
            Self::Revoke => "revoke",
            Self::Batch => "batch",
            Self::Downgrade => "downgrade",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a backend can do, and how sharp its expiry is.
///
/// ```
/// use std::time::Duration;
/// use leasehold::{Capabilities, Capability};
///
/// let sharp = Capabilities::new(Duration::from_millis(1)).with(Capability::Shared);
/// assert!(sharp.has(Capability::Shared) && !sharp.has(Capability::Queue));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    expiry_resolution: Duration,
    has: BTreeSet<Capability>,
}

impl Capabilities {
    /// Exclusive leases on single keys, dead at the latest this long after they ran out.
    #[must_use]
    pub const fn new(expiry_resolution: Duration) -> Self {
        Self { expiry_resolution, has: BTreeSet::new() }
    }

    /// The same, and this.
    #[must_use]
    pub fn with(mut self, capability: Capability) -> Self {
        self.has.insert(capability);
        self
    }

    /// The same, and all of these.
    #[must_use]
    pub fn with_all(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.has.extend(capabilities);
        self
    }

    /// The same, but not this: what a wrapper says that takes something away.
    #[must_use]
    pub fn without(mut self, capability: Capability) -> Self {
        self.has.remove(&capability);
        self
    }

    /// Whether the backend can do it.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.has.contains(&capability)
    }

    /// How long a lease may still be treated as live after it ran out.
    #[must_use]
    pub const fn expiry_resolution(&self) -> Duration {
        self.expiry_resolution
    }
}
