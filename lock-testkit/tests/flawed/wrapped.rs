//! The memory backend behind a wrapper that takes one thing away.

use std::sync::Weak;

use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability,
    DowngradeBackend, ExtendRequest, Extension, KeyPage, KeyState, LeaseId, Limit, ListRequest,
    LockBackend, LockKey, Mode, Release, Result, RevocationListener, Revoked, Runtime, Timestamp,
    TryAcquire, Ttl, async_trait, poll_acquire,
};
use leasehold_memory::MemoryBackend;

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    QueuePolls,
    RevokeDoesNothing,
    ListStopsAfterAPage,
    ListIgnoresThePrefix,
    ListTakesAStarForAnything,
    ListForgetsWaiters,
    BatchAnswersBackwards,
    BatchStopsAtALoss,
    SeveralKeysOneByOne,
    OnlyTheFirstKey,
    MinHoldIgnored,
    PermitsCountAsOne,
    LimitIgnored,
    ReadersExcludeEachOther,
    WaitersHidden,
    ReleasedShownAsHeld,
    BatchNotDeclared,
}

#[derive(Debug)]
pub(crate) struct Wrapped {
    inner: MemoryBackend,
    taken: Option<Taken>,
}

impl Wrapped {
    pub(crate) const fn new(inner: MemoryBackend, taken: Option<Taken>) -> Self {
        Self { inner, taken }
    }

    fn is(&self, taken: Taken) -> bool {
        self.taken == Some(taken)
    }

    /// What is really asked for.
    fn changed(&self, request: &AcquireRequest) -> Result<AcquireRequest> {
        let plain = || -> Result<AcquireRequest> {
            let keys = request.keys().iter().cloned();
            let plain = AcquireRequest::for_keys(keys, request.id(), request.ttl())?;
            Ok(plain.with_holder(request.holder().clone()))
        };
        let limited = |limit: Limit| limit.get().is_some();
        match (self.taken, request.mode()) {
            (Some(Taken::MinHoldIgnored), mode) => plain()?.with_mode(mode, request.permits()),
            (Some(Taken::PermitsCountAsOne), mode) => request.clone().with_mode(mode, 1),
            (Some(Taken::LimitIgnored), Mode::Shared { limit }) if limited(limit) => {
                request.clone().with_mode(Mode::READ, request.permits())
            }
            (Some(Taken::ReadersExcludeEachOther), Mode::Shared { limit }) if !limited(limit) => {
                request.clone().with_mode(Mode::Exclusive, 1)
            }
            (Some(Taken::OnlyTheFirstKey), _) => {
                let first = AcquireRequest::new(request.key().clone(), request.id(), request.ttl());
                Ok(first.with_holder(request.holder().clone()))
            }
            _ => Ok(request.clone()),
        }
    }

    async fn one_by_one(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        let mut last = None;
        for key in request.keys() {
            let one = AcquireRequest::new(key.clone(), request.id(), request.ttl());
            match self.inner.try_acquire(&one).await? {
                TryAcquire::Granted(grant) => last = Some(grant),
                held @ TryAcquire::Held(_) => return Ok(held),
            }
        }
        Ok(TryAcquire::Granted(last.unwrap()))
    }
}

#[async_trait]
impl LockBackend for Wrapped {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        if self.is(Taken::SeveralKeysOneByOne) && request.keys().len() > 1 {
            return self.one_by_one(request).await;
        }
        self.inner.try_acquire(&self.changed(request)?).await
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        if self.is(Taken::QueuePolls) {
            return poll_acquire(self, request, deadline).await;
        }
        self.inner.acquire(&self.changed(request)?, deadline).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.inner.extend(key, id, ttl).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.inner.release(key, id).await
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let mut state = self.inner.inspect(key).await?;
        if self.is(Taken::WaitersHidden) {
            state.waiters.clear();
        }
        if self.is(Taken::ReleasedShownAsHeld) {
            state.leases.iter_mut().for_each(|lease| lease.released = false);
        }
        Ok(state)
    }

    fn capabilities(&self) -> Capabilities {
        let all = self.inner.capabilities();
        if self.is(Taken::BatchNotDeclared) { all.without(Capability::Batch) } else { all }
    }

    fn runtime(&self) -> &Runtime {
        self.inner.runtime()
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        Some(self)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        Some(self)
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        self.inner.downgrader()
    }
}

#[async_trait]
impl BatchBackend for Wrapped {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let mut outcomes = Vec::new();
        for lease in leases {
            let outcome = self.inner.extend(&lease.key, lease.id, lease.ttl).await;
            let lost = matches!(outcome, Ok(Extension::Lost));
            outcomes.push(outcome);
            if lost && self.is(Taken::BatchStopsAtALoss) {
                break;
            }
        }
        if self.is(Taken::BatchAnswersBackwards) {
            outcomes.reverse();
        }
        outcomes
    }
}

#[async_trait]
impl AdminBackend for Wrapped {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        if self.is(Taken::RevokeDoesNothing) {
            let leases = self.inner.inspect(key).await?.leases.len();
            return Ok(Revoked { leases });
        }
        let admin = self.inner.admin().unwrap();
        admin.revoke(key).await
    }

    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        let admin = self.inner.admin().unwrap();
        if self.is(Taken::ListStopsAfterAPage) {
            let page = admin.list(request).await?;
            return Ok(KeyPage { next: None, ..page });
        }
        if self.is(Taken::ListIgnoresThePrefix) {
            return admin.list(&ListRequest::new("conformance:")?.page_size(request.page())?).await;
        }
        if self.is(Taken::ListTakesAStarForAnything) {
            let cut = request.prefix().split('*').next().unwrap_or_default();
            return admin.list(&ListRequest::new(cut)?).await;
        }
        if self.is(Taken::ListForgetsWaiters) {
            let mut page = admin.list(request).await?;
            page.keys.iter_mut().for_each(|listed| listed.state.waiters.clear());
            return Ok(page);
        }
        admin.list(request).await
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        if let Some(admin) = self.inner.admin() {
            admin.watch_revocations(listener);
        }
    }
}
