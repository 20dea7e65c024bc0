//! Giving ids up in the background.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::Either, stream::FuturesUnordered};
use leasehold::{LeaseId, LockKey};
use tokio::sync::mpsc;

use crate::core::{Core, How};

/// The pauses between tries.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Takes ids to give up, without waiting: it is used where something is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Cleanup(mpsc::UnboundedSender<(LockKey, LeaseId)>);

impl Cleanup {
    /// Starts the task that does it. It ends when all of these are gone and everything is given up.
    pub(crate) fn start(core: Arc<Core>) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        let runtime = core.runtime.clone();
        runtime.spawn(Box::pin(run(core, queue)));
        Self(sender)
    }

    /// Takes the id out of the queue, or ends the lease that it was just granted.
    pub(crate) fn leave(&self, key: LockKey, id: LeaseId) {
        // The task is gone only with its runtime; then the ticket and the ttl end it.
        let _gone = self.0.send((key, id)).is_err();
    }
}

async fn run(core: Arc<Core>, mut queue: mpsc::UnboundedReceiver<(LockKey, LeaseId)>) {
    let mut running = FuturesUnordered::new();
    let mut open = true;
    while open || !running.is_empty() {
        let received = {
            let next = std::pin::pin!(queue.recv());
            if running.is_empty() {
                Some(next.await)
            } else if open {
                match futures::future::select(next, running.next()).await {
                    Either::Left((job, _)) => Some(job),
                    Either::Right(_) => None,
                }
            } else {
                running.next().await;
                None
            }
        };
        match received {
            Some(Some((key, id))) => running.push(leave(&core, key, id)),
            Some(None) => open = false,
            None => {}
        }
    }
}

/// Tries until the server has answered, or until it no longer matters.
async fn leave(core: &Core, key: LockKey, id: LeaseId) {
    let until = core.runtime.now() + core.orphan_bound;
    let mut pause = FIRST_PAUSE;
    while let Err(error) = core.release(&key, id, How::Leave).await {
        if !error.is_retryable() || core.runtime.now() >= until {
            tracing::warn!(%key, %error, "an id could not be given up; its ttl will end it");
            return;
        }
        core.runtime.sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
