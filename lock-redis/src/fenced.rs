//! A fenced key-value store on Redis.

use async_trait::async_trait;
use leasehold::{
    Error, FencingToken, LockKey, Result,
    fenced::{Fence, FencedAccess, FencedStore, StaleFence, checked_name},
};
use redis::Value;

use crate::{
    RedisConfig,
    connect::{Lanes, Target},
    error::nonsense,
    key::Keyspace,
    scripts::Op,
};

/// A [`FencedStore`] on Redis: each access is one script that compares the fence before it touches the value.
///
/// It may live on another server than the leases; that is the point of a fence. A token more than an hour ahead of the
/// server's clock is refused, so that a wrong one can't lock everybody out. Values do not expire, and a removed value keeps
/// its fence.
///
/// ```no_run
/// # async fn example() -> leasehold::Result<()> {
/// use leasehold::{Locker, fenced::FencedStore};
/// use leasehold_redis::{FencedRedis, RedisBackend, RedisConfig};
///
/// let locker = Locker::new(RedisBackend::connect("redis://locks/").await?);
/// let stock = FencedRedis::connect(RedisConfig::new("redis://data/").prefix("shop")).await?;
///
/// let guard = locker.acquire("apples").await?;
/// let left = stock.read("apples", guard.fence()).await?.or_lost()?;
/// stock.write("apples", guard.fence(), b"41").await?.or_lost()?;
/// # let _ = left;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FencedRedis {
    lanes: Lanes,
    names: Keyspace,
}

impl FencedRedis {
    /// Connects to the server of these settings; values stand as hashes at `<prefix>:{<name>}:fenced`.
    ///
    /// # Errors
    /// As [`RedisBackend::connect_with`](crate::RedisBackend::connect_with).
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        // What it keeps is no lease: there is nothing that the server could have granted before.
        let config = config.without_quarantine();
        config.validate()?;
        let names = Keyspace::new(&config.prefix)?;
        let scripts = config.script_settings();
        let target = Target::new(&config.dial(&scripts, &names))?;
        let lanes = Lanes::connect(&target, config.lanes).await?;
        Ok(Self { lanes, names })
    }

    async fn access(
        &self,
        name: &str,
        fence: Fence,
        what: &str,
        value: &[u8],
    ) -> Result<FencedAccess<Option<Vec<u8>>>> {
        let name = LockKey::new(checked_name(name)?)?;
        let record = format!("{}:fenced", self.names.record(&name));
        let (token, owner) = (fence.token.to_string(), fence.owner.expose_hex());
        let args: [&[u8]; 4] = [token.as_bytes(), owner.as_bytes(), what.as_bytes(), value];
        let mut link = self.lanes.link(&name).await?;
        let answer = link.run(Op::Fenced, &[record], &args).await;
        let access = answer.and_then(|answer| read(&answer, fence));
        access.map_err(|error| error.with_operation("fenced access").with_key(&name))
    }
}

fn read(answer: &Value, fence: Fence) -> Result<FencedAccess<Option<Vec<u8>>>> {
    let shape = redis::from_redis_value_ref::<(u8, Option<Vec<u8>>)>(answer);
    let (code, rest) = shape.map_err(|_other| nonsense(answer))?;
    let newest = || FencingToken::new(std::str::from_utf8(rest.as_deref()?).ok()?.parse().ok()?);
    match code {
        0 => {
            let newest = newest().ok_or_else(|| nonsense(answer))?;
            Ok(FencedAccess::Stale(StaleFence { shown: fence.token, newest }))
        }
        1 => Ok(FencedAccess::Done(rest)),
        2 => {
            let bound = "at most an hour ahead of the server's clock";
            Err(Error::invalid("fence", fence.token, bound))
        }
        _ => Err(nonsense(answer)),
    }
}

#[async_trait]
impl FencedStore for FencedRedis {
    async fn read(&self, name: &str, fence: Fence) -> Result<FencedAccess<Option<Vec<u8>>>> {
        self.access(name, fence, "r", b"").await
    }

    async fn write(&self, name: &str, fence: Fence, value: &[u8]) -> Result<FencedAccess<()>> {
        Ok(done(&self.access(name, fence, "w", value).await?))
    }

    async fn remove(&self, name: &str, fence: Fence) -> Result<FencedAccess<()>> {
        Ok(done(&self.access(name, fence, "d", b"").await?))
    }
}

fn done<T>(access: &FencedAccess<T>) -> FencedAccess<()> {
    match access {
        FencedAccess::Done(_) => FencedAccess::Done(()),
        FencedAccess::Stale(stale) => FencedAccess::Stale(*stale),
    }
}
