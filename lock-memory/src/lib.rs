#![doc = include_str!("../README.md")]

mod backend;
mod keys;
pub mod state;
mod waiters;

pub use backend::MemoryBackend;
pub use leasehold::VirtualClock;
