//! Resources that refuse a holder whose lease is over: the last line of defence, and the only exact one.
//!
//! A lease ends by time, and a holder can be paused between its last look at the clock and its write. What makes
//! that harmless is a resource that compares fencing tokens itself. It must do so on *read and write*: if only writes are
//! fenced, a stale holder reads an old value, the new one writes, and a third computes from what the first still
//! shows: an update is lost. So the first touch, a read too, raises the fence.
//!
//! [`FencedStore`] is that resource as a key-value store; [`FenceGate`] is the rule alone, for a resource of your own.
//! In SQL it is a `WHERE` clause, as the `fenced_sql` example shows.

mod gate;

use async_trait::async_trait;

pub use gate::{Admission, Fence, FenceGate};

use crate::Result;

/// What a fenced resource answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a refused access did nothing"]
pub enum FencedAccess<T> {
    /// The fence was the newest: this is the result.
    Done(T),
    /// Somebody with a newer lease has been here: nothing was read or written.
    Stale(StaleFence),
}

impl<T> FencedAccess<T> {
    /// The result, or an error for a caller who has no other way on.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) if the fence was stale.
    pub fn or_lost(self) -> Result<T> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Stale(stale) => Err(stale.into()),
        }
    }
}

/// A fence that came too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleFence {
    /// The token that was shown.
    pub shown: crate::FencingToken,
    /// The newest the resource has seen.
    pub newest: crate::FencingToken,
}

impl From<StaleFence> for crate::Error {
    fn from(stale: StaleFence) -> Self {
        let StaleFence { shown, newest } = stale;
        let message = format!("stale fence: token {shown} after {newest} was seen");
        Self::new(crate::ErrorKind::LeaseLost, crate::Effect::None, message)
    }
}

/// A key-value store that takes part in fencing: every access shows the fence of the lease it is made under.
///
/// Values are bytes, names any text of 1 to 512 bytes. The store should live where the data lives; it is independent of
/// the backend that grants the leases.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
/// use leasehold::{Locker, fenced::{FencedAccess, FencedStore}};
/// use leasehold_memory::{FencedMemory, MemoryBackend};
///
/// let locker = Locker::new(MemoryBackend::new());
/// let stock = FencedMemory::new();
///
/// let first = locker.acquire("stock").await?;
/// let paused = first.fence();
/// first.release().await?;
///
/// let second = locker.acquire("stock").await?;
/// assert_eq!(stock.read("apples", second.fence()).await?, FencedAccess::Done(None));
/// assert!(matches!(stock.write("apples", paused, b"10").await?, FencedAccess::Stale(_)));
/// assert_eq!(stock.write("apples", second.fence(), b"9").await?, FencedAccess::Done(()));
/// # Ok(()) }
/// ```
#[async_trait]
pub trait FencedStore: std::fmt::Debug + Send + Sync + 'static {
    /// Reads a value and raises the fence to this one.
    ///
    /// # Errors
    /// The store failed, or the fence is implausible.
    async fn read(&self, name: &str, fence: Fence) -> Result<FencedAccess<Option<Vec<u8>>>>;

    /// Writes a value and raises the fence to this one.
    ///
    /// # Errors
    /// As [`read`](Self::read); with an unknown effect the value may have been written.
    async fn write(&self, name: &str, fence: Fence, value: &[u8]) -> Result<FencedAccess<()>>;

    /// Removes a value; the fence stays.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    async fn remove(&self, name: &str, fence: Fence) -> Result<FencedAccess<()>>;
}

/// Checks the name of a value.
///
/// # Errors
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it is empty or longer than 512 bytes.
pub fn checked_name(name: &str) -> Result<&str> {
    match name.len() {
        0 => Err(crate::Error::invalid("name", "\"\"", "at least 1 byte")),
        1..=512 => Ok(name),
        long => {
            Err(crate::Error::invalid("name", format_args!("{long} bytes"), "at most 512 bytes"))
        }
    }
}
