//! Where background tasks run.

use std::fmt::Debug;

use futures::future::BoxFuture;

/// Runs a task in the background.
pub trait Spawn: Debug + Send + Sync + 'static {
    /// Starts `task`; it runs until it ends by itself.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// Tokio's tasks, on the runtime that is current when a task is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSpawn;

impl Spawn for TokioSpawn {
    /// # Panics
    /// Outside of a tokio runtime, as [`tokio::spawn`] does.
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}
