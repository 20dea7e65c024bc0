//! Who hands a key on, and how.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use leasehold::{Acquire, AcquireRequest, LockBackend as _, LockKey, Runtime, Ttl, async_trait};
use leasehold_redis::RedisBackend;
use redis::{Script, aio::MultiplexedConnection};
use tokio::sync::Notify;

use super::baton::Baton;
use crate::{
    Outcome,
    acquire::{TTL, TTL_MS},
    measure,
};

const DELETE_AND_TELL: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
redis.call('DEL', KEYS[1]) redis.call('PUBLISH', 'freed', '') end";

/// One that waits for a key, again and again.
#[async_trait]
pub(crate) trait Turns: Send + Sync {
    /// Waits for the key, holds it as the baton says, and releases it.
    async fn turn(&self, baton: &Baton) -> Outcome<()>;
}

/// Ours: the releasing script grants the next waiter.
pub(super) struct Direct(RedisBackend);

impl Direct {
    pub(super) async fn connect(url: &str) -> Outcome<Self> {
        // A server that has just started is in quarantine: nothing was lost here.
        Ok(Self(RedisBackend::builder(url).without_quarantine().connect().await?))
    }
}

#[async_trait]
impl Turns for Direct {
    async fn turn(&self, baton: &Baton) -> Outcome<()> {
        let runtime = self.0.runtime();
        let (key, id) = (LockKey::new(baton.key())?, runtime.lease_id());
        let request = AcquireRequest::new(key, id, Ttl::new(TTL)?);
        let deadline = runtime.now() + Duration::from_secs(60);
        match self.0.acquire(&request, deadline).await? {
            Acquire::Granted(_) => {}
            Acquire::TimedOut(held) => return Err(format!("a waiter timed out: {held}").into()),
        }
        baton.hold().await;
        self.0.release(request.key(), id).await?;
        Ok(())
    }
}

/// `SET NX PX`, and a message to everybody on release; one waiter of each client tries again.
pub(super) struct Notified {
    connection: MultiplexedConnection,
    freed: Arc<Notify>,
    release: Script,
    runtime: Runtime,
}

impl Notified {
    pub(super) async fn connect(url: &str) -> Outcome<Self> {
        let freed = Arc::new(Notify::new());
        let mut subscription = redis::Client::open(url)?.get_async_pubsub().await?;
        subscription.subscribe("freed").await?;
        let told = Arc::clone(&freed);
        tokio::spawn(async move {
            let mut messages = subscription.on_message();
            while messages.next().await.is_some() {
                told.notify_one();
            }
        });
        let connection = measure::connect(url).await?;
        let release = Script::new(DELETE_AND_TELL);
        Ok(Self { connection, freed, release, runtime: Runtime::tokio() })
    }
}

#[async_trait]
impl Turns for Notified {
    async fn turn(&self, baton: &Baton) -> Outcome<()> {
        let mut connection = self.connection.clone();
        let id = self.runtime.lease_id().expose_hex();
        let mut set = redis::cmd("SET");
        set.arg(baton.key()).arg(&id).arg("NX").arg("PX").arg(TTL_MS);
        while !set.query_async::<bool>(&mut connection).await? {
            // A lost message costs a second, as it does in the libraries of this design.
            let _lost = tokio::time::timeout(Duration::from_secs(1), self.freed.notified()).await;
        }
        baton.hold().await;
        let mut release = self.release.key(baton.key());
        Ok(release.arg(&id).invoke_async(&mut connection).await?)
    }
}
