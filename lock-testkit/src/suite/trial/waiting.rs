//! Waiting beside the case, and seeing it end.

use std::sync::Arc;

use leasehold::{Acquire, AcquireRequest, Held, KeyState, LockKey, Result, Timestamp};
use tokio::task::JoinHandle;

use super::{Lease, Trial, world};

/// An `acquire` that runs beside the case.
pub(crate) type Waiting = JoinHandle<Result<Acquire>>;

impl Trial {
    /// Starts an `acquire` beside the case.
    pub(crate) fn wait(&self, request: &AcquireRequest) -> Waiting {
        self.wait_until(request, self.far())
    }

    pub(crate) fn wait_until(&self, request: &AcquireRequest, deadline: Timestamp) -> Waiting {
        let (backend, request) = (Arc::clone(&self.backend), request.clone());
        tokio::spawn(async move { backend.acquire(&request, deadline).await })
    }

    /// Starts an `acquire`, and sees it stand in the queue as number `place` (from 1).
    pub(crate) async fn queue(&self, request: &AcquireRequest, place: usize) -> Waiting {
        let waiting = self.wait(request);
        self.queued(request.key(), place).await;
        waiting
    }

    /// Waits until this many stand in the queue.
    pub(crate) async fn queued(&self, key: &LockKey, waiters: usize) -> KeyState {
        let what = format!("{waiters} waiters");
        self.until(key, &what, |state| state.waiters.len() == waiters)
            .await
    }

    /// Waits until the key looks like this, no longer than the backend may take.
    pub(crate) async fn until(
        &self,
        key: &LockKey,
        what: &str,
        accept: impl Fn(&KeyState) -> bool + Send,
    ) -> KeyState {
        let end = self.now() + self.patience;
        loop {
            self.settle().await;
            let state = self.inspect(key).await;
            if accept(&state) {
                return state;
            }
            assert!(self.now() < end, "expected {what}, got {state:?}");
            self.step().await;
        }
    }

    /// Waits for the end of a task, no longer than the backend may take.
    pub(crate) async fn soon<T: Send>(&self, task: JoinHandle<T>) -> T {
        let end = self.now() + self.patience;
        loop {
            self.settle().await;
            if task.is_finished() {
                return task.await.unwrap_or_else(|error| panic!("{error}"));
            }
            assert!(self.now() < end, "still waiting after {:?}", self.patience);
            self.step().await;
        }
    }

    pub(crate) async fn soon_granted(&self, waiting: Waiting, request: &AcquireRequest) -> Lease {
        match world(self.soon(waiting).await) {
            Acquire::Granted(grant) => self.lease(request, grant),
            Acquire::TimedOut(held) => panic!("expected a grant of {request:?}, got {held:?}"),
        }
    }

    pub(crate) async fn soon_timed_out(&self, waiting: Waiting) -> Held {
        match world(self.soon(waiting).await) {
            Acquire::TimedOut(held) => held,
            Acquire::Granted(grant) => panic!("expected a timeout, got {grant:?}"),
        }
    }

    /// Drops the waiting future, wherever it stands.
    pub(crate) async fn cancel(&self, waiting: Waiting) {
        waiting.abort();
        let ended = waiting.await;
        assert!(ended.is_err(), "the wait ended before it was cancelled: {ended:?}");
        self.settle().await;
    }
}
