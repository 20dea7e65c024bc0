//! A fenced key-value store in memory.

use async_trait::async_trait;
use dashmap::DashMap;
use leasehold::{
    Result,
    fenced::{Admission, Fence, FenceGate, FencedAccess, FencedStore, checked_name},
};

/// A [`FencedStore`] in this process, for tests and for programs of one process.
///
/// Fences are kept for as long as the store lives, those of removed values too.
#[derive(Debug, Default)]
pub struct FencedMemory(DashMap<String, Slot>);

#[derive(Debug, Default)]
struct Slot {
    gate: FenceGate,
    value: Option<Vec<u8>>,
}

impl FencedMemory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn access<T>(
        &self,
        name: &str,
        fence: Fence,
        touch: impl FnOnce(&mut Option<Vec<u8>>) -> T,
    ) -> Result<FencedAccess<T>> {
        let mut slot = self.0.entry(checked_name(name)?.to_owned()).or_default();
        Ok(match slot.gate.admit(fence) {
            Admission::Admitted => FencedAccess::Done(touch(&mut slot.value)),
            Admission::Refused(stale) => FencedAccess::Stale(stale),
        })
    }
}

#[async_trait]
impl FencedStore for FencedMemory {
    async fn read(&self, name: &str, fence: Fence) -> Result<FencedAccess<Option<Vec<u8>>>> {
        self.access(name, fence, |value| value.clone())
    }

    async fn write(&self, name: &str, fence: Fence, value: &[u8]) -> Result<FencedAccess<()>> {
        let value = value.to_vec();
        self.access(name, fence, |slot| *slot = Some(value))
    }

    async fn remove(&self, name: &str, fence: Fence) -> Result<FencedAccess<()>> {
        self.access(name, fence, |slot| *slot = None)
    }
}
