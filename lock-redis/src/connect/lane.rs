//! Lanes: a few connections, and which key travels on which.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bb8_redis::bb8::{Pool, RunError};
use futures::future::{Either, select};
use leasehold::{Effect, Error, ErrorKind, LockKey, Result};

use super::{link::Link, manager::Target, sink::Failures};

/// A few connections. A key always uses the same one, so what is sent for it later never overtakes
/// what was sent before.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    target: Target,
}

impl Lanes {
    /// Connects all lanes; fails with the first one's cause.
    pub(crate) async fn connect(target: &Target, lanes: usize) -> Result<Self> {
        let mut all = Vec::with_capacity(lanes);
        for _ in 0..lanes {
            all.push(Lane::connect(target.clone()).await?);
        }
        Ok(Self { lanes: all, target: target.clone() })
    }

    /// The connection of this key.
    pub(crate) async fn link(&self, key: &LockKey) -> Result<Link> {
        self.lanes[self.lane_of(key)].link().await
    }

    /// A connection for what belongs to no key.
    pub(crate) async fn first(&self) -> Result<Link> {
        self.nth(0).await
    }

    /// How many connections there are.
    pub(crate) const fn count(&self) -> usize {
        self.lanes.len()
    }

    /// One of them, by its number.
    pub(crate) async fn nth(&self, lane: usize) -> Result<Link> {
        self.lanes[lane].link().await
    }

    /// Asks again in which epoch this connection's server is.
    pub(crate) async fn learn_again(&self, link: &mut Link) -> Result<()> {
        self.target.learn_again(link).await
    }

    /// On which lane the key travels.
    pub(crate) fn lane_of(&self, key: &LockKey) -> usize {
        if self.lanes.len() == 1 {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let lanes = self.lanes.len() as u64;
        usize::try_from(hasher.finish() % lanes).unwrap_or_default()
    }
}

/// A pool of one connection, which is cloned out and given back at once: nobody holds it while
/// a command is under way.
#[derive(Debug)]
struct Lane {
    pool: Pool<Target>,
    failures: Failures,
}

impl Lane {
    async fn connect(target: Target) -> Result<Self> {
        let first = target.dial().await?;
        let failures = Failures::new();
        // The cause of a failure comes through the sink, at once; this is for a connect that hangs.
        let give_up = target.connection_timeout() + Duration::from_secs(1);
        let pool = Pool::builder()
            .max_size(1)
            .test_on_check_out(false)
            .retry_connection(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(give_up)
            .error_sink(Box::new(failures.clone()))
            .build(target)
            .await?;
        pool.add(first).map_err(|_full| unreachable())?;
        Ok(Self { pool, failures })
    }

    async fn link(&self) -> Result<Link> {
        loop {
            let link = match select(pin!(self.pool.get()), pin!(self.failures.next())).await {
                Either::Left((Ok(pooled), _)) => Link::clone(&pooled),
                Either::Left((Err(RunError::User(error)), _)) => return Err(error),
                Either::Left((Err(RunError::TimedOut), _)) => return Err(unreachable()),
                Either::Right((cause, _)) => return Err(same(&cause)),
            };
            // A broken one was not put back: the next look finds its successor.
            if !link.is_broken() {
                return Ok(link);
            }
        }
    }
}

fn unreachable() -> Error {
    Error::new(ErrorKind::Unavailable, Effect::None, "the server did not answer in time to connect")
}

/// One failure is told to all who waited for that connection.
fn same(cause: &Arc<Error>) -> Error {
    let error = Error::new(cause.kind(), cause.effect(), "could not connect to the server");
    match cause.code() {
        Some(code) => error.with_code(code),
        None => error,
    }
    .with_source(Arc::clone(cause))
}
