//! Backends for the error paths of your own code: answers that you choose, where a real backend would hardly give them.
//!
//! | You want | Take |
//! |---|---|
//! | "this call fails so, that one never answers" | [`ScriptedBackend`]: a list of answers |
//! | expectations on arguments and numbers of calls | [`MockLockBackend`], by mockall |
//!
//! Neither keeps any promise of [`LockBackend`](leasehold::LockBackend): to test what your code does with *locks*, take
//! `leasehold_memory::MemoryBackend`.

mod mockall;
mod scripted;

pub use mockall::MockLockBackend;
pub use scripted::{Answer, Call, ScriptedBackend};
