//! Outcome vectors: the sequential specification as a table, run against every implementation of it.
//!
//! The files and their format are in `docs/spec` of the repository. An implementation takes part through a small
//! adapter, a [`Machine`]; any [`LockBackend`](leasehold::LockBackend) on a virtual clock has one already, [`BackendMachine`].
//!
//! ```
//! use leasehold_memory::MemoryBackend;
//! use leasehold_testkit::vectors::{BackendMachine, Vector, run};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec");
//! # if !std::path::Path::new(folder).exists() { return Ok(()); }
//! for vector in Vector::read_all(folder)? {
//!     let (backend, clock) = MemoryBackend::manual(7);
//!     run(&vector, &mut BackendMachine::new(backend, clock)).await?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod backend;
mod format;
mod machine;
mod run;
mod step;
mod tokens;

pub use backend::BackendMachine;
pub use format::{Vector, VectorError};
pub use machine::{Answer, Event, Machine, Operation, Outcome};
pub use run::{Mismatch, run};
