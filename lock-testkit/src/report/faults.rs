//! What was done to the run: faults, as bands over the time line.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A fault that a run suffered, for reports to show beside what it did.
///
/// ```
/// use leasehold_testkit::report::FaultBand;
///
/// let paused = FaultBand::new(1_000, 4_000, "paused").on("c1");
/// let parted = FaultBand::new(2_000, 3_000, "partition");
/// assert_eq!((paused.client.as_deref(), parted.client), (Some("c1"), None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultBand {
    /// When it began, in nanoseconds of the recorder's clock.
    pub from_ns: u64,
    /// When it was over, in nanoseconds of the recorder's clock; an instant if it is `from_ns`, to the end of the
    /// history if it is `u64::MAX`.
    pub to_ns: u64,
    /// The client that it struck, by the name that it has in the history; `None` for all of them (the
    /// backend, the network as a whole).
    pub client: Option<Arc<str>>,
    /// What it was, in a few words.
    pub words: String,
}

impl FaultBand {
    /// A fault that struck everybody.
    #[must_use]
    pub fn new(from_ns: u64, to_ns: u64, words: impl Into<String>) -> Self {
        Self { from_ns, to_ns, client: None, words: words.into() }
    }

    /// The same fault, but this client's alone.
    #[must_use]
    pub fn on(self, client: impl Into<Arc<str>>) -> Self {
        Self { client: Some(client.into()), ..self }
    }
}
