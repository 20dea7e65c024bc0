//! Waiting beside the case, and seeing it end.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use futures::{
    StreamExt as _,
    future::{Either, select},
    stream::FuturesUnordered,
};
use leasehold::{Acquire, AcquireRequest, Held, KeyState, LockKey, Result, Timestamp};
use tokio::task::JoinHandle;

use super::{Lease, POLLING, Trial, world};

/// An `acquire` that runs beside the case.
pub(crate) type Waiting = JoinHandle<Result<Acquire>>;

/// Shorter than a long lease: a client that hangs is not freed by the end of another's lease.
const CROWD: Duration = Duration::from_secs(50);

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
        self.until(key, &what, |state| state.waiters.len() == waiters).await
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
        self.within(self.patience, task).await
    }

    async fn within<T: Send>(&self, patience: Duration, task: JoinHandle<T>) -> T {
        let end = self.now() + patience;
        loop {
            self.settle().await;
            if task.is_finished() {
                return task.await.unwrap_or_else(|error| panic!("{error}"));
            }
            assert!(self.now() < end, "still waiting after {patience:?}");
            self.step().await;
        }
    }

    /// Waits as a client does that has nobody to watch it, see [`finish`](Self::finish).
    pub(crate) async fn acquire(&self, request: &AcquireRequest) -> Lease {
        match world(self.backend.acquire(request, self.far()).await) {
            Acquire::Granted(grant) => self.lease(request, grant),
            Acquire::TimedOut(held) => panic!("expected a grant of {request:?}, got {held:?}"),
        }
    }

    /// Lets clients that hand a key to each other run to their end, and time with them.
    pub(crate) async fn finish<F>(
        &self,
        clients: impl IntoIterator<Item = F> + Send,
    ) -> Vec<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        // Only who was woken is polled: to look at the others would keep the clock from settling.
        let clients: FuturesUnordered<_> = clients.into_iter().collect();
        let mut ended = pin!(clients.collect::<Vec<_>>());
        let end = self.now() + CROWD;
        while self.now() < end {
            let round = async {
                self.settle().await;
                self.step().await;
            };
            if let Either::Left((outputs, _)) = select(ended.as_mut(), pin!(round)).await {
                return outputs;
            }
        }
        panic!("the clients hang: no end after {CROWD:?}");
    }

    /// Several keys have no queue of their own: whoever waits for them may poll.
    pub(crate) async fn soon_granted(&self, waiting: Waiting, request: &AcquireRequest) -> Lease {
        let polls = request.keys().len() > 1;
        let patience = if polls { self.patience.max(POLLING) } else { self.patience };
        match world(self.within(patience, waiting).await) {
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
