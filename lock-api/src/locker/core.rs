//! What all clones of a locker share.

use std::{future::Future, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::seen_tokens::SeenTokens;
use crate::{
    Config, Error, LeaseId, LockBackend, LockKey, Result, Runtime,
    lease::{keeper::Keeper, reaper::Reaper},
    observe,
    time::timeout_at,
};

#[derive(Debug)]
pub(super) struct Core<B: LockBackend + ?Sized> {
    pub(super) keeper: Keeper,
    pub(super) reaper: Reaper,
    pub(super) seen: SeenTokens,
    /// Cancelled by the first shutdown: nothing is granted from then on.
    pub(super) closing: CancellationToken,
    config: Config,
    runtime: Runtime,
    backend: Arc<B>,
}

impl<B: LockBackend + ?Sized> Core<B> {
    pub(super) fn new(backend: Arc<B>, config: Config) -> Self {
        observe::describe();
        Self {
            keeper: Keeper::default(),
            reaper: Reaper::default(),
            seen: SeenTokens::default(),
            closing: CancellationToken::new(),
            config,
            runtime: backend.runtime().clone(),
            backend,
        }
    }

    /// Makes sure that the background tasks run; called where an executor is at hand.
    pub(super) fn start(&self) {
        self.keeper.start(&self.backend, &self.runtime);
        self.reaper.start(&self.backend, &self.runtime);
    }

    pub(super) fn backend(&self) -> &B {
        &self.backend
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    pub(super) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Gives up an id in the background.
    pub(super) fn give_up(&self, keys: &[LockKey], id: LeaseId) {
        self.reaper.hand_over(keys.to_vec(), id, self.config.op_timeout());
    }

    pub(super) async fn within_op_timeout<T>(
        &self,
        operation: &'static str,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        observe::seen(
            operation,
            None,
            self.within(self.config.op_timeout(), operation, future).await,
        )
    }

    /// Runs one operation of the backend; a silent backend is an error with an unknown effect.
    pub(super) async fn within<T>(
        &self,
        timeout: Duration,
        operation: &'static str,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let deadline = self.runtime.now() + timeout;
        match timeout_at(self.runtime.clock(), deadline, future).await {
            Some(result) => result.map_err(|error| error.with_operation(operation)),
            None => Err(Error::no_answer(operation, timeout)),
        }
    }
}
