//! A shared or boxed backend is a backend.

use std::sync::Arc;

use async_trait::async_trait;

use super::{AdminBackend, BatchBackend, Capabilities, DowngradeBackend, LockBackend};
use crate::{
    Acquire, AcquireRequest, Extension, KeyState, LeaseId, LockKey, Release, Result, Runtime,
    Timestamp, TryAcquire, Ttl,
};

macro_rules! forward {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: LockBackend + ?Sized> LockBackend for $pointer<T> {
            async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
                (**self).try_acquire(request).await
            }

            async fn acquire(
                &self,
                request: &AcquireRequest,
                deadline: Timestamp,
            ) -> Result<Acquire> {
                (**self).acquire(request, deadline).await
            }

            async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
                (**self).extend(key, id, ttl).await
            }

            async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
                (**self).release(key, id).await
            }

            async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
                (**self).inspect(key).await
            }

            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            fn runtime(&self) -> &Runtime {
                (**self).runtime()
            }

            fn batch(&self) -> Option<&dyn BatchBackend> {
                (**self).batch()
            }

            fn admin(&self) -> Option<&dyn AdminBackend> {
                (**self).admin()
            }

            fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
                (**self).downgrader()
            }
        }
    };
}

forward!(Arc);
forward!(Box);
