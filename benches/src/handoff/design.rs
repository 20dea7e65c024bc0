//! The designs that are compared, each over the same client.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use leasehold::{
    Acquire, AcquireRequest, Backoff, LeaseId, LockBackend, LockKey, Runtime, Ttl,
    poll_acquire_with,
};
use leasehold_redis::RedisBackend;
use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;

use crate::{Outcome, measure};

const KEY: &str = "handoff";
const CHANNEL: &str = "handoff:freed";
const TTL: Duration = Duration::from_secs(20);

/// How waiters learn that the key is free.
pub(crate) enum Design {
    /// Leasehold's queue: the releasing script grants the next waiter.
    Direct(RedisBackend),
    /// The same scripts, polled with jittered backoff.
    Polling(RedisBackend, Backoff),
    /// `SET NX PX`, and a message to everybody on release; one waiter of each process tries again.
    PubSub { connection: MultiplexedConnection, freed: Arc<Notify>, runtime: Runtime },
}

impl Design {
    pub(crate) async fn new(name: &str, url: &str) -> Outcome<Self> {
        Ok(match name {
            "direct" => Self::Direct(backend(url).await?),
            "polling" => {
                let policy = Backoff::new(Duration::from_millis(1), Duration::from_millis(50))?;
                Self::Polling(backend(url).await?, policy)
            }
            "pubsub" => {
                let freed = Arc::new(Notify::new());
                listen(url, Arc::clone(&freed)).await?;
                let connection = measure::connect(url).await?;
                Self::PubSub { connection, freed, runtime: Runtime::tokio() }
            }
            _ => return Err(format!("no design {name}").into()),
        })
    }

    pub(crate) async fn acquire(&self) -> Outcome<LeaseId> {
        match self {
            Self::Direct(backend) => {
                let request = request(backend.runtime())?;
                let deadline = backend.runtime().now() + Duration::from_secs(60);
                granted(&request, &backend.acquire(&request, deadline).await?)
            }
            Self::Polling(backend, policy) => {
                let request = request(backend.runtime())?;
                let deadline = backend.runtime().now() + Duration::from_secs(60);
                granted(&request, &poll_acquire_with(backend, &request, deadline, policy).await?)
            }
            Self::PubSub { connection, freed, runtime } => {
                let id = runtime.lease_id();
                while !set_nx(connection.clone(), id).await? {
                    // A lost message costs a second, as it does in the libraries of this design.
                    let _lost =
                        tokio::time::timeout(Duration::from_secs(1), freed.notified()).await;
                }
                Ok(id)
            }
        }
    }

    pub(crate) async fn release(&self, id: LeaseId) -> Outcome<()> {
        match self {
            Self::Direct(backend) | Self::Polling(backend, _) => {
                backend.release(&LockKey::new(KEY)?, id).await?;
                Ok(())
            }
            Self::PubSub { connection, .. } => delete_and_tell(connection.clone(), id).await,
        }
    }
}

async fn backend(url: &str) -> Outcome<RedisBackend> {
    // A server that has just started is in quarantine: nothing was lost here.
    Ok(RedisBackend::builder(url).without_quarantine().connect().await?)
}

fn request(runtime: &Runtime) -> Outcome<AcquireRequest> {
    Ok(AcquireRequest::new(LockKey::new(KEY)?, runtime.lease_id(), Ttl::new(TTL)?))
}

fn granted(request: &AcquireRequest, answer: &Acquire) -> Outcome<LeaseId> {
    match answer {
        Acquire::Granted(_) => Ok(request.id()),
        Acquire::TimedOut(held) => Err(format!("a waiter timed out: {held}").into()),
    }
}

async fn listen(url: &str, freed: Arc<Notify>) -> Outcome<()> {
    let mut subscription = redis::Client::open(url)?.get_async_pubsub().await?;
    subscription.subscribe(CHANNEL).await?;
    tokio::spawn(async move {
        let mut messages = subscription.on_message();
        while messages.next().await.is_some() {
            freed.notify_one();
        }
    });
    Ok(())
}

async fn set_nx(mut connection: MultiplexedConnection, id: LeaseId) -> Outcome<bool> {
    let mut set = redis::cmd("SET");
    set.arg(KEY).arg(id.expose_hex()).arg("NX").arg("PX").arg(20_000);
    Ok(set.query_async(&mut connection).await?)
}

async fn delete_and_tell(mut connection: MultiplexedConnection, id: LeaseId) -> Outcome<()> {
    let script = redis::Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) redis.call('PUBLISH', ARGV[2], '') end",
    );
    let mut release = script.key(KEY);
    Ok(release.arg(id.expose_hex()).arg(CHANNEL).invoke_async(&mut connection).await?)
}
