//! The one subscription of a backend.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures::{
    StreamExt,
    future::{Either, select},
};
use leasehold::{Result, Runtime, observe, timeout_at};
use redis::{Msg, aio::PubSubSink};
use tokio::sync::watch;

use super::{push::Push, waiters::Waiters};
use crate::{cleanup::Cleanup, connect::Target, core::Core, key::Keyspace};

/// How long to wait before connecting again, at first and at the most.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Listens for as long as somebody holds it.
#[derive(Debug)]
pub(crate) struct Subscription {
    listening: watch::Receiver<bool>,
    _alive: Arc<()>,
}

/// What the listening task works with.
pub(crate) struct Listener {
    pub(crate) target: Target,
    pub(crate) names: Keyspace,
    pub(crate) channel: String,
    pub(crate) waiters: Arc<Waiters>,
    pub(crate) core: Arc<Core>,
    pub(crate) cleanup: Cleanup,
    pub(crate) runtime: Runtime,
    /// How often the connection is asked whether it is still there.
    pub(crate) heartbeat: Duration,
}

impl Subscription {
    /// Starts to listen.
    pub(crate) fn start(listener: Listener) -> Self {
        let (tell, listening) = watch::channel(false);
        let alive = Arc::new(());
        let wanted = Arc::downgrade(&alive);
        let runtime = listener.runtime.clone();
        runtime.spawn(Box::pin(async move { listener.run(&wanted, &tell).await }));
        Self { listening, _alive: alive }
    }

    /// Whether the server has confirmed that it listens, and nothing has ended that since.
    pub(crate) fn is_confirmed(&self) -> bool {
        *self.listening.borrow()
    }

    /// Waits until the server has confirmed that it listens.
    pub(crate) async fn confirmed(&self) {
        let mut listening = self.listening.clone();
        // An error means that the task is gone, with its runtime: nobody waits then.
        let _closed = listening.wait_for(|listening| *listening).await.is_err();
    }
}

impl Listener {
    async fn run(self, wanted: &Weak<()>, tell: &watch::Sender<bool>) {
        let (mut pause, mut again) = (FIRST_PAUSE, false);
        while wanted.strong_count() > 0 {
            match self.listen(wanted, tell, again).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    observe::backend::reconnected(observe::backend::Link::Subscription, false);
                    tracing::debug!(%error, "the subscription can't be made");
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            again = true;
            tell.send_replace(false);
            self.runtime.sleep(pause).await;
        }
    }

    /// Connects, for the first time or again, and delivers until the connection ends.
    async fn listen(
        &self,
        wanted: &Weak<()>,
        tell: &watch::Sender<bool>,
        again: bool,
    ) -> Result<()> {
        let channels = [self.channel.clone(), self.names.revocations()];
        let (mut sink, mut messages) = self.target.subscribe(&self.runtime, &channels).await?;
        tell.send_replace(true);
        if again {
            observe::backend::reconnected(observe::backend::Link::Subscription, true);
        }
        // What was said while nobody listened is lost.
        self.waiters.look_all();
        let mut next_beat = self.runtime.now() + self.heartbeat;
        loop {
            let beat = self.runtime.sleep_until(next_beat);
            match select(messages.next(), beat).await {
                Either::Left((Some(message), _)) => self.deliver(&message),
                Either::Left((None, _)) => return Ok(()),
                Either::Right(((), _)) => {
                    if wanted.strong_count() == 0 || !self.still_there(&mut sink).await {
                        return Ok(());
                    }
                    next_beat = self.runtime.now() + self.heartbeat;
                }
            }
        }
    }

    /// A connection that says nothing may be dead, or stuck with an old word in it.
    async fn still_there(&self, sink: &mut PubSubSink) -> bool {
        let deadline = self.runtime.now() + self.target.connection_timeout();
        let answer = timeout_at(self.runtime.clock(), deadline, sink.ping::<redis::Value>()).await;
        matches!(answer, Some(Ok(_)))
    }

    fn deliver(&self, message: &Msg) {
        let text = String::from_utf8_lossy(message.get_payload_bytes());
        match Push::read(&text, &self.names) {
            Some(Push::Granted { id, key, grant }) => {
                if !self.waiters.grant(id, grant) {
                    // Whoever waited is gone: without this the key stays taken for the whole ttl.
                    self.cleanup.leave(key, id);
                }
            }
            Some(Push::Look(id)) => self.waiters.look(id),
            Some(Push::Revoked(id)) => self.core.revocations.tell(id),
            None => tracing::warn!("a message on the channel is not Leasehold's"),
        }
    }
}
