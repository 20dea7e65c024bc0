//! What the fuzz targets do, as plain functions over bytes.
//!
//! libFuzzer calls them from `fuzz_targets/`; `tests/replay.rs` calls them with the committed corpus, and with mutations
//! of it, on stable. Each panics when what it checks does not hold.

mod config;
mod history;
mod lock_key;
mod memory_state;

/// A fuzz target's body.
pub type Body = fn(&[u8]);

/// Every target: its name, which is its corpus directory, and its body.
pub const TARGETS: [(&str, Body); 4] = [
    ("config", config),
    ("history", history),
    ("lock_key", lock_key),
    ("memory_state", memory_state),
];

pub use config::config;
pub use history::history;
pub use lock_key::lock_key;
pub use memory_state::memory_state;
