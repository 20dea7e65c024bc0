//! What the fuzz targets do, as plain functions over bytes.
//!
//! libFuzzer calls them from `fuzz_targets/`; `tests/replay.rs` calls them with the committed corpus, and with mutations
//! of it, on stable. Each panics when what it checks does not hold.

mod bytes;
mod checkers;
mod config;
mod history;
mod key_template;
mod lock_key;
mod memory_model;
mod memory_state;
mod program;
mod redis_key;
mod redis_reply;
mod redis_url;

/// A fuzz target's body.
pub type Body = fn(&[u8]);

/// Every target: its name, which is its corpus directory, and its body.
pub const TARGETS: [(&str, Body); 11] = [
    ("checkers", checkers),
    ("config", config),
    ("history", history),
    ("key_template", key_template),
    ("lock_key", lock_key),
    ("memory_model", memory_model),
    ("memory_state", memory_state),
    ("program", program),
    ("redis_key", redis_key),
    ("redis_reply", redis_reply),
    ("redis_url", redis_url),
];

pub use checkers::checkers;
pub use config::config;
pub use history::history;
pub use key_template::key_template;
pub use lock_key::lock_key;
pub use memory_model::memory_model;
pub use memory_state::memory_state;
pub use program::program;
pub use redis_key::redis_key;
pub use redis_reply::redis_reply;
pub use redis_url::redis_url;
