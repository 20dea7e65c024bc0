//! Those that are crates.

use std::{sync::Arc, time::Duration};

use distributed_lock_redis::RedisLockProvider;
use leasehold::async_trait;
use rslock::LockManager;

use crate::{
    Outcome,
    acquire::{Pairs, TTL},
    grants::{Baton, Turns},
};

pub(super) struct Rslock(LockManager);

/// With its defaults.
pub(super) fn rslock(url: &str) -> Arc<Rslock> {
    Arc::new(Rslock(LockManager::new(vec![url.to_owned()])))
}

#[async_trait]
impl Pairs for Rslock {
    async fn pair(&self, name: &str) -> Outcome<()> {
        self.0.lock(name, TTL).await?.release().await;
        Ok(())
    }
}

#[async_trait]
impl Turns for Rslock {
    async fn turn(&self, baton: &Baton) -> Outcome<()> {
        let guard = self.0.acquire(baton.key(), TTL).await?;
        baton.hold().await;
        guard.release().await;
        Ok(())
    }
}

struct DistributedLock(RedisLockProvider);

/// With its defaults, but for a ttl that the others have too.
pub(super) async fn distributed_lock(url: &str) -> Outcome<Arc<dyn Pairs>> {
    let provider = RedisLockProvider::builder().url(url).expiry(TTL).build();
    Ok(Arc::new(DistributedLock(provider.await.map_err(|error| error.to_string())?)))
}

#[async_trait]
impl Pairs for DistributedLock {
    async fn pair(&self, name: &str) -> Outcome<()> {
        use distributed_lock_core::traits::{
            DistributedLock as _, LockHandle as _, LockProvider as _,
        };
        let lock = self.0.create_lock(name);
        let taken = lock.acquire(Some(Duration::from_secs(5))).await;
        taken.map_err(|error| error.to_string())?.release().await.map_err(|e| e.to_string().into())
    }
}
