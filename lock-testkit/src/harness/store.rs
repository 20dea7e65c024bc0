//! Where the service keeps its data.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use leasehold::{
    Result,
    fenced::{Fence, FencedAccess, FencedStore},
};

use crate::sim::Node;

/// One client's connection to the data that all clients share.
///
/// Every access first comes to a [point](Node::point), so that plans can stop the client there, between its last look at
/// its lease and what it does to the data; the access itself is one step. Implement your service's own store trait for it:
///
/// ```
/// use leasehold_testkit::harness::SimStore;
///
/// trait Stock {
///     async fn count(&self) -> u32;
///     async fn set_count(&self, count: u32);
/// }
///
/// impl Stock for SimStore<u32> {
///     async fn count(&self) -> u32 {
///         self.access("read", |stock| *stock).await
///     }
///     async fn set_count(&self, count: u32) {
///         self.access("write", |stock| *stock = count).await
///     }
/// }
/// ```
///
/// Over an `Arc` of a [`FencedStore`] it is one, with the points `read`, `write` and `remove`.
pub struct SimStore<T> {
    node: Node,
    data: Arc<Mutex<T>>,
}

impl<T> SimStore<T> {
    pub(super) const fn new(node: Node, data: Arc<Mutex<T>>) -> Self {
        Self { node, data }
    }

    /// Comes to the point of this name, then touches the data, in one step. Dropped before that, it did nothing.
    pub async fn access<R>(&self, point: &str, touch: impl FnOnce(&mut T) -> R) -> R {
        self.node.point(point).await;
        touch(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Clone for SimStore<T> {
    fn clone(&self) -> Self {
        Self { node: self.node.clone(), data: Arc::clone(&self.data) }
    }
}

impl<T> fmt::Debug for SimStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimStore").field("node", &self.node).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: FencedStore> FencedStore for SimStore<Arc<S>> {
    async fn read(&self, name: &str, fence: Fence) -> Result<FencedAccess<Option<Vec<u8>>>> {
        self.access("read", |store| Arc::clone(store)).await.read(name, fence).await
    }

    async fn write(&self, name: &str, fence: Fence, value: &[u8]) -> Result<FencedAccess<()>> {
        self.access("write", |store| Arc::clone(store)).await.write(name, fence, value).await
    }

    async fn remove(&self, name: &str, fence: Fence) -> Result<FencedAccess<()>> {
        self.access("remove", |store| Arc::clone(store)).await.remove(name, fence).await
    }
}
