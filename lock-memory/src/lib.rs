#![doc = include_str!("../README.md")]

mod backend;
mod fenced;
mod keys;
mod list;
pub mod state;
mod waiters;

pub use backend::MemoryBackend;
pub use fenced::FencedMemory;
pub use leasehold::VirtualClock;
