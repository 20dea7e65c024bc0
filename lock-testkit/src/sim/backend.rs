//! The backend as a client sees it: behind the network.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability, Clock as _,
    DowngradeBackend, Effect, Error, ErrorKind, ExtendRequest, Extension, Grant, KeyPage, KeyState,
    LeaseId, ListRequest, LockBackend, LockKey, Release, Result, RevocationListener,
    RevocationListeners, Revoked, Runtime, Timestamp, TryAcquire, Ttl, timeout_at,
};

use super::{
    clock::LocalClock,
    message::{Answer, Ask, Reply},
    world::World,
};

/// A client's way to the server.
///
/// A call that nobody answers within the operation's timeout ends with an unknown effect; what was sent is still under way
/// then. A dropped call takes nothing back either, but a waiter's place is given up by one more message.
#[derive(Debug)]
pub(super) struct SimBackend {
    pub(super) world: Arc<World>,
    pub(super) client: u32,
    pub(super) life: u32,
    pub(super) clock: LocalClock,
    pub(super) runtime: Runtime,
    pub(super) capabilities: Capabilities,
    pub(super) listeners: Arc<RevocationListeners>,
}

/// As much as two clocks may drift apart, in parts per million: what dates grants of waiters.
const DRIFT_PPM: u32 = 10_000;

impl SimBackend {
    async fn call(&self, ask: Ask, within: Duration) -> Result<Reply> {
        let operation = ask.operation().word();
        let timeout = within.saturating_add(self.world.settings.op_timeout);
        let call = self.world.send(self.client, self.life, ask);
        let deadline = self.clock.now() + timeout;
        match timeout_at(&self.clock, deadline, call).await {
            Some(Reply { answer: Answer::Broken, .. }) => Err(broken(operation)),
            Some(reply) => Ok(reply),
            None => {
                let message = format!("no answer within {timeout:?}");
                Err(Error::new(ErrorKind::Unavailable, Effect::Unknown, message)
                    .with_operation(operation))
            }
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Reply> {
        self.call(ask, Duration::ZERO).await
    }
}

fn broken(operation: &'static str) -> Error {
    let message = "the connection was lost";
    Error::new(ErrorKind::Unavailable, Effect::Unknown, message).with_operation(operation)
}

/// A reply of another kind than its request.
fn confused() -> Error {
    Error::new(ErrorKind::Internal, Effect::Unknown, "the reply belongs to another request")
}

/// Dates a grant on the client's clock, never too late: the request was `sent` before it `came`, and from there on the
/// client's clock ran no slower than the drift allowance says.
fn dated(grant: Grant, sent: Timestamp, came: Timestamp) -> Grant {
    let waited = grant.since.since(came);
    let since = sent + waited.saturating_mul(1_000_000 - DRIFT_PPM) / 1_000_000;
    Grant { since, ..grant }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LockBackend for SimBackend {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        let sent = self.clock.now();
        let Reply { answer, came } = self.ask(Ask::Try(request.clone())).await?;
        match answer {
            Answer::Try(Ok(TryAcquire::Granted(grant))) => {
                Ok(TryAcquire::Granted(dated(grant, sent, came)))
            }
            Answer::Try(answer) => answer,
            _ => Err(confused()),
        }
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        let sent = self.clock.now();
        let within = deadline.since(sent);
        let ask = Ask::Wait { request: request.clone(), within };
        let Reply { answer, came } = self.call(ask, within).await?;
        match answer {
            Answer::Wait(Ok(Acquire::Granted(grant))) => {
                Ok(Acquire::Granted(dated(grant, sent, came)))
            }
            Answer::Wait(answer) => answer,
            _ => Err(confused()),
        }
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        match self.ask(Ask::Extend { key: key.clone(), id, ttl }).await?.answer {
            Answer::Extend(answer) => answer,
            _ => Err(confused()),
        }
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        match self.ask(Ask::Release { key: key.clone(), id }).await?.answer {
            Answer::Release(answer) => answer,
            _ => Err(confused()),
        }
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        match self.ask(Ask::Inspect(key.clone())).await?.answer {
            Answer::Inspect(answer) => answer,
            _ => Err(confused()),
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone().without(Capability::Downgrade)
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        self.capabilities.has(Capability::Batch).then_some(self as &dyn BatchBackend)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        self.capabilities.has(Capability::Revoke).then_some(self as &dyn AdminBackend)
    }

    /// Its messages have no word for it.
    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        None
    }
}

#[async_trait]
impl BatchBackend for SimBackend {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let each = |error: Error| leases.iter().map(|_| Err(error.clone())).collect();
        match self.ask(Ask::ExtendMany(leases.to_vec())).await {
            Ok(Reply { answer: Answer::ExtendMany(answers), .. }) => answers,
            Ok(_) => each(confused()),
            Err(error) => each(error),
        }
    }
}

#[async_trait]
impl AdminBackend for SimBackend {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        match self.ask(Ask::Revoke(key.clone())).await?.answer {
            Answer::Revoke(answer) => answer,
            _ => Err(confused()),
        }
    }

    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        match self.ask(Ask::List(request.clone())).await?.answer {
            Answer::List(answer) => answer,
            _ => Err(confused()),
        }
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        self.listeners.add(listener);
    }
}
