//! A process that can be stopped: a backend on a runtime of its own, which only lives while something is run on it.

use std::{future::Future, sync::Arc, time::Duration};

use leasehold::{Acquire, AcquireRequest, LockBackend, Result};
use leasehold_redis::{RedisBackend, RedisConfig};
use tokio::{runtime::Runtime, task::JoinHandle};

pub struct Process {
    runtime: Runtime,
    pub backend: Arc<RedisBackend>,
}

impl Process {
    pub fn start(config: RedisConfig) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let backend = Arc::new(runtime.block_on(config.connect()).unwrap());
        Self { runtime, backend }
    }

    /// Lives until this is done, then stands still again.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Lives for a while.
    pub fn live(&self, time: Duration) {
        self.run(self.backend.runtime().sleep(time));
    }

    /// Starts to wait, with a deadline that does not come, and lives until it stands in the queue behind `ahead`.
    pub fn queue(&self, request: &AcquireRequest, ahead: usize) -> JoinHandle<Result<Acquire>> {
        let waiting = self.wait(request, Duration::from_secs(600));
        self.run(async {
            loop {
                let state = self.backend.inspect(request.key()).await.unwrap();
                if state.waiters.len() > ahead {
                    break;
                }
                self.backend.runtime().sleep(Duration::from_millis(2)).await;
            }
        });
        waiting
    }

    pub fn wait(
        &self,
        request: &AcquireRequest,
        patience: Duration,
    ) -> JoinHandle<Result<Acquire>> {
        let (backend, request) = (Arc::clone(&self.backend), request.clone());
        let deadline = backend.runtime().now() + patience;
        self.runtime.spawn(async move { backend.acquire(&request, deadline).await })
    }

    /// Lives until the wait ends, with a grant.
    pub fn granted(&self, waiting: JoinHandle<Result<Acquire>>) -> leasehold::Grant {
        match self.ended(waiting).unwrap() {
            Acquire::Granted(grant) => grant,
            Acquire::TimedOut(held) => panic!("timed out: {held}"),
        }
    }

    pub fn ended(&self, waiting: JoinHandle<Result<Acquire>>) -> Result<Acquire> {
        let clock = self.backend.runtime().clone();
        let limit = clock.now() + Duration::from_secs(20);
        let ended = self.run(leasehold::timeout_at(clock.clock(), limit, waiting));
        ended.unwrap_or_else(|| panic!("the wait does not end")).unwrap()
    }
}
