//! Recording what a backend is asked and what it answers.
//!
//! A [`Recorder`] wraps a backend and is one, so it also stands under a [`Locker`](leasehold::Locker).
//! All handles of one [`Recording`] write into one [`History`](crate::history::History), in the order
//! in which the recorded program could see the events.
//!
//! ```
//! use std::time::Duration;
//! use leasehold::{AcquireRequest, LockBackend, LockKey, Ttl};
//! use leasehold_memory::MemoryBackend;
//! use leasehold_testkit::{check::lock, record::Recorder};
//!
//! # futures::executor::block_on(async {
//! let (backend, _clock) = MemoryBackend::manual(7);
//! let recorder = Recorder::in_process(backend);
//! let (one, other) = (recorder.client("c1"), recorder.client("c2"));
//! let ttl = Ttl::new(Duration::from_secs(1))?;
//! let ask = |client: &Recorder<_>| {
//!     AcquireRequest::new(LockKey::new("job").unwrap(), client.runtime().lease_id(), ttl)
//! };
//! one.try_acquire(&ask(&one)).await?;
//! other.try_acquire(&ask(&other)).await?;
//!
//! let history = recorder.history();
//! assert_eq!(history.len(), 2);
//! assert!(lock::check(&history, &lock::Options::default()).verdict.is_ok());
//! # Ok::<(), leasehold::Error>(())
//! # }).unwrap();
//! ```

mod pending;
mod probe;
mod recorder;
mod recording;
mod words;

pub use probe::QueueProbe;
pub use recorder::Recorder;
pub use recording::Recording;
