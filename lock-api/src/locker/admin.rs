//! Looking at keys, and taking them away.

use std::collections::BTreeMap;

use super::Locker;
use crate::{
    AdminBackend, Error, IntoLockKey, KeyPage, KeyState, ListRequest, ListedKey, LockBackend,
    Result, Revoked, observe,
};

impl<B: LockBackend + ?Sized> Locker<B> {
    /// Reads a key: who holds it, who waits.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a bad key; else the backend failed.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn inspect(&self, key: impl IntoLockKey) -> Result<KeyState> {
        let key = key.into_lock_key()?;
        self.core.within_op_timeout("inspect", self.core.backend().inspect(&key)).await
    }

    /// Whether any lease of `key` is live at this moment. It may change before you read the answer: to work on the
    /// key, take it.
    ///
    /// # Errors
    /// As [`inspect`](Self::inspect).
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn is_locked(&self, key: impl IntoLockKey) -> Result<bool> {
        let key = key.into_lock_key();
        Ok(self.inspect(key?).await?.is_locked())
    }

    /// Takes `key` away from whoever holds it. For administrators: the former holder may work on until it
    /// notices, and only the fencing token protects the resource meanwhile.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the backend can't; else as [`inspect`](Self::inspect).
    ///
    /// # Cancellation safety
    /// It may have taken effect.
    pub async fn revoke(&self, key: impl IntoLockKey) -> Result<Revoked> {
        let key = key.into_lock_key()?;
        let admin = self.admin("this backend can't revoke");
        let admin = admin.map_err(|error| error.with_key(&key))?;
        let revoked = self.core.within_op_timeout("revoke", admin.revoke(&key)).await;
        revoked.inspect(|revoked| observe::revoked(&key, *revoked))
    }

    /// Every key in use that begins with `prefix`, taken literally, in order, each once with who holds it and who
    /// waits. The empty prefix stands for all.
    ///
    /// The keys are read one after the other: each answer is of one instant, all together are not. A key that is held or
    /// waited for during the whole call is there. For many keys, [`list_page`](Self::list_page) needs less memory.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// let _guard = locker.lock("payment:*:7").label("worker-7").await?;
    /// let _other = locker.acquire("report").await?;
    ///
    /// for listed in locker.list("payment:*").await? {
    ///     let lease = &listed.state.leases[0];
    ///     println!("{} held by {} for another {:?}", listed.key, lease.holder, lease.remaining);
    /// }
    /// # assert_eq!(locker.list("payment:*").await?.len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a prefix that no key can have;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the backend can't list; else the backend failed.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn list(&self, prefix: impl Into<String>) -> Result<Vec<ListedKey>> {
        let first = ListRequest::new(prefix)?.page_size(ListRequest::MAX_PAGE)?;
        let (mut found, mut request) = (BTreeMap::new(), first.clone());
        loop {
            let KeyPage { keys, next } = self.list_page(&request).await?;
            found.extend(keys.into_iter().map(|listed| (listed.key, listed.state)));
            match next {
                Some(next) => request = first.clone().after(next),
                None => break,
            }
        }
        let listed = found.into_iter();
        Ok(listed.map(|(key, state)| ListedKey { key, state }).collect())
    }

    /// One page of such a listing; see [`AdminBackend::list`] for what pages together promise.
    ///
    /// # Errors
    /// As [`list`](Self::list), and [`Invalid`](crate::ErrorKind::Invalid) for a cursor of another backend.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn list_page(&self, request: &ListRequest) -> Result<KeyPage> {
        let admin = self.admin("this backend can't list")?;
        self.core.within_op_timeout("list", admin.list(request)).await
    }

    fn admin(&self, or: &'static str) -> Result<&dyn AdminBackend> {
        self.core.backend().admin().ok_or_else(|| Error::unsupported(or))
    }
}
