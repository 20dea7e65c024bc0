//! What a backend promises beyond the common specification.

/// Promises of the backend that recorded the history. [`Policy::STRICT`] is the full specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// An id that was released or given up is never granted again.
    pub tombstones: bool,
    /// Waiters that were certainly enqueued before another request was made are granted before it.
    pub fifo: bool,
    /// `Held` for reason `lease` means that a lease is in the way, for reason `queue` that somebody
    /// waits. If false, either of the two justifies either reason.
    pub honest_reasons: bool,
}

impl Policy {
    /// Everything that the specification promises.
    pub const STRICT: Self = Self { tombstones: true, fifo: true, honest_reasons: true };
}

impl Default for Policy {
    fn default() -> Self {
        Self::STRICT
    }
}
