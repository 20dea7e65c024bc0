//! Many readers or one writer: two modes of the leases of one key.

use crate::{IntoLockKey, LockBackend, LockRequest, Locker, Mode};

impl<B: LockBackend + ?Sized> Locker<B> {
    /// Starts a request to read what `key` protects: beside other readers, never beside a writer.
    ///
    /// Each reader has a lease of its own, so that one that crashed keeps nobody out for longer than its ttl. A reader that
    /// comes after a waiting writer waits behind it, so writers don't starve; who holds a read lock and asks for another
    /// must not count on getting it, see [`ReentrantScope`](crate::ReentrantScope).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// let (one, another) = (locker.read("doc:9").await?, locker.read("doc:9").await?);
    /// assert!(locker.write("doc:9").try_acquire().await?.is_none());
    ///
    /// drop((one, another));
    /// let writer = locker.write("doc:9").label("editor").await?;
    /// assert!(locker.read("doc:9").try_acquire().await?.is_none());
    /// # drop(writer);
    /// # Ok(()) }
    /// ```
    pub fn read(&self, key: impl IntoLockKey) -> LockRequest<B> {
        self.lock(key).mode(Mode::READ)
    }

    /// Starts a request to write what `key` protects: alone. It is [`lock`](Self::lock) by another name, and excludes
    /// [readers](Self::read) and whoever else locks the key.
    ///
    /// A writer that goes on reading what it wrote lets readers in, and no writer, by
    /// [`downgrade`](crate::Guard::downgrade):
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// use leasehold::Downgrade;
    ///
    /// let mut document = locker.write("doc:9").await?;
    /// assert_eq!(document.downgrade().await?, Downgrade::Downgraded);
    /// let reader = locker.read("doc:9").await?;
    /// assert!(locker.write("doc:9").try_acquire().await?.is_none());
    /// # drop((document, reader));
    /// # Ok(()) }
    /// ```
    pub fn write(&self, key: impl IntoLockKey) -> LockRequest<B> {
        self.lock(key)
    }
}
