//! The backend's operations, with the outcome that a case relies on.

use leasehold::{
    AcquireRequest, Downgrade, Effect, ErrorKind, Extension, Grant, Held, KeyState, LeaseId,
    LockKey, Release, TryAcquire, Ttl,
};

use super::{Lease, Trial, world};

impl Trial {
    pub(crate) async fn try_acquire(&self, request: &AcquireRequest) -> TryAcquire {
        world(self.backend.try_acquire(request).await)
    }

    #[track_caller]
    pub(crate) fn granted(&self, request: &AcquireRequest, outcome: &TryAcquire) -> Lease {
        let TryAcquire::Granted(grant) = outcome else {
            panic!("expected a grant of {request:?}, got {outcome:?}");
        };
        self.lease(request, *grant)
    }

    pub(super) fn lease(&self, request: &AcquireRequest, grant: Grant) -> Lease {
        Lease { key: request.key().clone(), id: request.id(), grant }
    }

    pub(crate) async fn grant(&self, request: &AcquireRequest) -> Lease {
        let outcome = self.try_acquire(request).await;
        self.granted(request, &outcome)
    }

    /// Takes the key exclusively for long.
    pub(crate) async fn hold(&self, key: &LockKey) -> Lease {
        self.grant(&self.request(key, self.long())).await
    }

    pub(crate) async fn held(&self, request: &AcquireRequest) -> Held {
        match self.try_acquire(request).await {
            TryAcquire::Held(held) => held,
            TryAcquire::Granted(grant) => panic!("expected {request:?} to be held, got {grant:?}"),
        }
    }

    /// The key is taken: another client's exclusive try is held.
    pub(crate) async fn is_taken(&self, key: &LockKey) -> Held {
        self.held(&self.request(key, self.long())).await
    }

    /// The key is free: nothing is shown, and another client gets and gives it back.
    pub(crate) async fn is_free(&self, key: &LockKey) -> Lease {
        assert_eq!(self.inspect(key).await.leases, [], "a lease stayed on {key}");
        let lease = self.hold(key).await;
        assert_eq!(self.release(&lease).await, Release::Released);
        lease
    }

    pub(crate) async fn refused(&self, request: &AcquireRequest, kind: ErrorKind) {
        match self.backend.try_acquire(request).await {
            Ok(outcome) => {
                panic!("expected {request:?} to be refused as {kind:?}, got {outcome:?}")
            }
            Err(error) => assert_eq!((error.kind(), error.effect()), (kind, Effect::None)),
        }
    }

    pub(crate) async fn extend(&self, lease: &Lease, ttl: Ttl) -> Extension {
        world(self.backend.extend(&lease.key, lease.id, ttl).await)
    }

    pub(crate) async fn release(&self, lease: &Lease) -> Release {
        self.give_up(&lease.key, lease.id).await
    }

    pub(crate) async fn give_up(&self, key: &LockKey, id: LeaseId) -> Release {
        world(self.backend.release(key, id).await)
    }

    pub(crate) async fn inspect(&self, key: &LockKey) -> KeyState {
        world(self.backend.inspect(key).await)
    }

    pub(crate) async fn downgrade(&self, lease: &Lease) -> Downgrade {
        let Some(backend) = self.backend.downgrader() else {
            panic!("the backend declares `downgrade` but has no downgrader()");
        };
        world(backend.downgrade(&lease.key, lease.id).await)
    }

    pub(crate) async fn revoke(&self, key: &LockKey) -> usize {
        let Some(admin) = self.backend.admin() else {
            panic!("the backend declares `revoke` but has no admin()");
        };
        world(admin.revoke(key).await).leases
    }
}
