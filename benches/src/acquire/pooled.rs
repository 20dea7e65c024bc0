//! Over a pool: ours, and one connection checked out for each command, as a pool is by default.

use std::sync::Arc;

use bb8_redis::RedisConnectionManager;
use leasehold::{Runtime, async_trait};
use redis::Script;

use super::{
    BACKEND, backend,
    rate::interleaved,
    subject::{DELETE_IF_MINE, Pairs, TTL_MS, delete_if_mine, done},
};
use crate::{
    Outcome,
    effort::Effort,
    report::{Report, Target},
};

const POOLED: &str = "bb8(16), checked out";

/// The bare commands over a default pool of 16: it tests a connection at each check-out.
struct CheckedOut {
    pool: bb8::Pool<RedisConnectionManager>,
    delete: String,
    runtime: Runtime,
}

#[async_trait]
impl Pairs for CheckedOut {
    async fn pair(&self, name: &str) -> Outcome<()> {
        let id = self.runtime.lease_id().expose_hex();
        let mut set = redis::cmd("SET");
        set.arg(name).arg(&id).arg("NX").arg("PX").arg(TTL_MS);
        let taken = set.query_async(&mut *self.pool.get().await?).await?;
        done(taken, name)?;
        let mut connection = self.pool.get().await?;
        done(delete_if_mine(&mut connection, &self.delete, name, &id).await?, name)
    }
}

pub(super) async fn bench(report: &mut Report, url: &str, effort: Effort) -> Outcome<()> {
    let pool = bb8::Pool::builder().max_size(16).build(RedisConnectionManager::new(url)?).await?;
    let delete = Script::new(DELETE_IF_MINE).load_async(&mut *pool.get().await?).await?;
    let pooled = CheckedOut { pool, delete, runtime: Runtime::tokio() };
    let subjects: [(String, Arc<dyn Pairs>); 2] =
        [(BACKEND.into(), Arc::new(backend(url, 1).await?)), (POOLED.into(), Arc::new(pooled))];
    let rates = interleaved(&subjects, &mut [], 256, effort).await?;
    report.judged(
        format!("acquire/256 tasks/pairs a second over {POOLED}"),
        rates.ratio(BACKEND, POOLED),
        "ratio",
        Target::AtLeast(5.0),
    );
    Ok(())
}
