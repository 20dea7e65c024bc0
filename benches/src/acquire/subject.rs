//! What is compared: each takes a key and gives it back.

use std::{sync::Arc, time::Duration};

use leasehold::{
    AcquireRequest, LockBackend, LockKey, Locker, Runtime, TryAcquire, Ttl, async_trait,
};
use leasehold_redis::RedisBackend;
use redis::{IntoConnectionInfo as _, Script, aio::MultiplexedConnection, io::tcp::TcpSettings};

use crate::Outcome;

pub(crate) const TTL: Duration = Duration::from_millis(TTL_MS);
pub(crate) const TTL_MS: u64 = 30_000;

pub(super) const DELETE_IF_MINE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
const SET_WITH_FENCE: &str = "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then \
local t = redis.call('TIME') local n = t[1] * 1000000 + t[2] \
local last = tonumber(redis.call('GET', KEYS[2]) or 0) if n <= last then n = last + 1 end \
redis.call('SET', KEYS[2], string.format('%.0f', n), 'PX', 86400000) return n end return 0";

/// Takes a free key and gives it back.
#[async_trait]
pub(crate) trait Pairs: Send + Sync {
    /// One acquire and one release; it fails if the key was not free.
    async fn pair(&self, name: &str) -> Outcome<()>;
}

/// A connection with the settings of ours, and the scripts of the bare commands loaded.
#[derive(Clone)]
pub(super) struct Connection {
    commands: MultiplexedConnection,
    delete: Arc<str>,
    set: Arc<str>,
}

impl Connection {
    pub(super) async fn open(url: &str) -> Outcome<Self> {
        let config = redis::AsyncConnectionConfig::new()
            .set_response_timeout(Some(Duration::from_secs(5)))
            .set_pipeline_buffer_size(1_024);
        let nodelay = TcpSettings::default().set_nodelay(true);
        let client = redis::Client::open(url.into_connection_info()?.set_tcp_settings(nodelay))?;
        let mut commands = client.get_multiplexed_async_connection_with_config(&config).await?;
        let delete: String = Script::new(DELETE_IF_MINE).load_async(&mut commands).await?;
        let set: String = Script::new(SET_WITH_FENCE).load_async(&mut commands).await?;
        Ok(Self { commands, delete: delete.into(), set: set.into() })
    }
}

/// The same client without a library.
pub(super) struct Bare {
    connection: Connection,
    runtime: Runtime,
    fenced: bool,
}

impl Bare {
    /// `SET NX PX`, then compare-and-delete: no fence, no queue.
    pub(super) fn raw(connection: Connection) -> Self {
        Self { connection, runtime: Runtime::tokio(), fenced: false }
    }

    /// The same with a token from the server's clock.
    pub(super) fn fenced(connection: Connection) -> Self {
        Self { connection, runtime: Runtime::tokio(), fenced: true }
    }
}

#[async_trait]
impl Pairs for Bare {
    async fn pair(&self, name: &str) -> Outcome<()> {
        let mut connection = self.connection.commands.clone();
        let id = self.runtime.lease_id().expose_hex();
        let taken = if self.fenced {
            let mut set = redis::cmd("EVALSHA");
            set.arg(&*self.connection.set).arg(2).arg(name).arg(format!("{{{name}}}:f"));
            set.arg(&id).arg(TTL_MS).query_async::<u64>(&mut connection).await? > 0
        } else {
            let mut set = redis::cmd("SET");
            set.arg(name).arg(&id).arg("NX").arg("PX").arg(TTL_MS);
            set.query_async(&mut connection).await?
        };
        done(taken, name)?;
        done(delete_if_mine(&mut connection, &self.connection.delete, name, &id).await?, name)
    }
}

/// Whether it was.
pub(super) async fn delete_if_mine(
    connection: &mut MultiplexedConnection,
    script: &str,
    name: &str,
    id: &str,
) -> Outcome<bool> {
    let mut delete = redis::cmd("EVALSHA");
    delete.arg(script).arg(1).arg(name).arg(id);
    Ok(delete.query_async::<u64>(connection).await? == 1)
}

/// Of each pair, both have to work, or the rate would be that of something else.
pub(crate) fn done(worked: bool, name: &str) -> Outcome<()> {
    if worked { Ok(()) } else { Err(format!("`{name}` was not free, or not ours").into()) }
}

#[async_trait]
impl Pairs for RedisBackend {
    async fn pair(&self, name: &str) -> Outcome<()> {
        let (key, id) = (LockKey::new(name)?, self.runtime().lease_id());
        let request = AcquireRequest::new(key, id, Ttl::new(TTL)?);
        let taken = self.try_acquire(&request).await?;
        done(matches!(taken, TryAcquire::Granted(_)), name)?;
        self.release(request.key(), id).await?;
        Ok(())
    }
}

#[async_trait]
impl Pairs for Locker<RedisBackend> {
    async fn pair(&self, name: &str) -> Outcome<()> {
        let guard = self.try_acquire(name).await?.ok_or("not free")?;
        guard.release().await?;
        Ok(())
    }
}
