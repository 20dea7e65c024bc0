//! What code here takes from its surroundings: time, randomness and tasks, in one handle.

mod entropy;
mod spawn;
mod system;

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;

pub use entropy::{Entropy, SeededEntropy};
pub use spawn::{Spawn, TokioSpawn};
pub use system::{OsEntropy, SystemClock, wall_clock};

use crate::{Clock, LeaseId, Sleep, Timestamp, VirtualClock};

/// Clock, randomness and task spawner, given to everything that needs one of them.
///
/// [`Runtime::default`] is tokio's: its clock follows tokio's time, so a test with
/// `start_paused = true` drives leases, waits and renewals. [`Runtime::manual`] stands on a
/// [`VirtualClock`] and a seed instead. Cloning is cheap; clones are the same runtime.
#[derive(Clone)]
pub struct Runtime {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    spawner: Arc<dyn Spawn>,
}

impl Runtime {
    /// A runtime of these parts.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, spawner: Arc<dyn Spawn>) -> Self {
        Self { clock, entropy, spawner }
    }

    /// Tokio's clock, the operating system's randomness, tokio's tasks.
    #[must_use]
    pub fn tokio() -> Self {
        Self::new(Arc::new(SystemClock::new()), Arc::new(OsEntropy), Arc::new(TokioSpawn))
    }

    /// A clock turned by hand and randomness from a seed: two runs with one seed are the same.
    /// Tasks are tokio's; see [`with_spawner`](Self::with_spawner) for another executor.
    #[must_use]
    pub fn manual(seed: u64) -> (Self, VirtualClock) {
        let clock = VirtualClock::new();
        let entropy = Arc::new(SeededEntropy::new(seed));
        (Self::new(Arc::new(clock.clone()), entropy, Arc::new(TokioSpawn)), clock)
    }

    /// The same runtime on another executor.
    #[must_use]
    pub fn with_spawner(mut self, spawner: Arc<dyn Spawn>) -> Self {
        self.spawner = spawner;
        self
    }

    /// The same runtime with other randomness.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The randomness.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.clock.sleep_until(self.now() + duration)
    }

    /// Waits until `deadline`.
    pub fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        self.clock.sleep_until(deadline)
    }

    /// Runs `task` in the background until it ends.
    pub fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.spawner.spawn(task);
    }

    /// Draws a lease id.
    #[must_use]
    pub fn lease_id(&self) -> LeaseId {
        LeaseId::random(self.entropy())
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::tokio()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("clock", &self.clock).finish_non_exhaustive()
    }
}
