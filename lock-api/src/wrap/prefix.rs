//! Puts a prefix before every key.

use std::sync::Weak;

use async_trait::async_trait;

use crate::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Downgrade, DowngradeBackend,
    Error, ExtendRequest, Extension, KeyPage, KeyState, LeaseId, ListRequest, ListedKey,
    LockBackend, LockKey, Release, Result, RevocationListener, Revoked, Runtime, Timestamp,
    TryAcquire, Ttl,
};

/// Puts a prefix before every key: tenants, environments, tests beside each other on one server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// use std::sync::Arc;
/// use leasehold::{Locker, wrap::Prefix};
/// use leasehold_memory::MemoryBackend;
///
/// let server = Arc::new(MemoryBackend::new());
/// let a = Locker::new(Prefix::new(Arc::clone(&server), "tenant-a:")?);
/// let b = Locker::new(Prefix::new(server, "tenant-b:")?);
/// let both = (a.acquire("report").await?, b.acquire("report").await?);
/// # drop(both);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Prefix<B> {
    inner: B,
    prefix: String,
}

impl<B: LockBackend> Prefix<B> {
    /// Puts `prefix` before every key that goes to `inner`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the prefix is no good start of a key: empty, holding control
    /// characters, or so long that no key fits behind it.
    pub fn new(inner: B, prefix: impl Into<String>) -> Result<Self> {
        let prefix = prefix.into();
        if prefix.is_empty() {
            return Err(Error::invalid("prefix", "\"\"", "at least 1 byte"));
        }
        if prefix.len() >= LockKey::MAX_LEN {
            let bound = format!("below {} bytes", LockKey::MAX_LEN);
            return Err(Error::invalid("prefix", format_args!("{} bytes", prefix.len()), bound));
        }
        if prefix.chars().any(char::is_control) {
            return Err(Error::invalid(
                "prefix",
                format_args!("{prefix:?}"),
                "free of control characters",
            ));
        }
        Ok(Self { inner, prefix })
    }

    fn key(&self, key: &LockKey) -> Result<LockKey> {
        key.prefixed(&self.prefix)
    }

    /// The name that a key of `inner` has here, if it is one of ours.
    fn own(&self, key: &LockKey) -> Option<LockKey> {
        LockKey::new(key.as_str().strip_prefix(&self.prefix)?).ok()
    }

    fn request(&self, request: &AcquireRequest) -> Result<AcquireRequest> {
        request.map_keys(|key| self.key(key))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: LockBackend> LockBackend for Prefix<B> {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        self.inner.try_acquire(&self.request(request)?).await
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        self.inner.acquire(&self.request(request)?, deadline).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.inner.extend(&self.key(key)?, id, ttl).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.inner.release(&self.key(key)?, id).await
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.inner.inspect(&self.key(key)?).await
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn runtime(&self) -> &Runtime {
        self.inner.runtime()
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        self.inner.batch().map(|_| self as &dyn BatchBackend)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        self.inner.admin().map(|_| self as &dyn AdminBackend)
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        self.inner.downgrader().map(|_| self as &dyn DowngradeBackend)
    }
}

#[async_trait]
impl<B: LockBackend> BatchBackend for Prefix<B> {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let Some(inner) = self.inner.batch() else {
            return vec_of(leases, || Error::unsupported("the inner backend has no batches"));
        };
        let renamed: Result<Vec<_>> = leases
            .iter()
            .map(|lease| Ok(ExtendRequest { key: self.key(&lease.key)?, ..lease.clone() }))
            .collect();
        match renamed {
            Ok(renamed) => inner.extend_many(&renamed).await,
            Err(error) => vec_of(leases, || Error::invalid("key", &error, "valid with its prefix")),
        }
    }
}

fn vec_of(leases: &[ExtendRequest], error: impl Fn() -> Error) -> Vec<Result<Extension>> {
    leases.iter().map(|_| Err(error())).collect()
}

#[async_trait]
impl<B: LockBackend> AdminBackend for Prefix<B> {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        match self.inner.admin() {
            Some(admin) => admin.revoke(&self.key(key)?).await,
            None => Err(Error::unsupported("the inner backend can't revoke")),
        }
    }

    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        let Some(admin) = self.inner.admin() else {
            return Err(Error::unsupported("the inner backend can't list"));
        };
        let KeyPage { keys, next } = admin.list(&request.prefixed(&self.prefix)?).await?;
        // The prefix alone is nobody's key here.
        let own = |listed: ListedKey| Some(ListedKey { key: self.own(&listed.key)?, ..listed });
        Ok(KeyPage { keys: keys.into_iter().filter_map(own).collect(), next })
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        if let Some(admin) = self.inner.admin() {
            admin.watch_revocations(listener);
        }
    }
}

#[async_trait]
impl<B: LockBackend> DowngradeBackend for Prefix<B> {
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        match self.inner.downgrader() {
            Some(inner) => inner.downgrade(&self.key(key)?, id).await,
            None => Err(Error::unsupported("the inner backend can't downgrade")),
        }
    }
}
