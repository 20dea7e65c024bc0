//! A mock by mockall.

use std::time::Duration;

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability,
    DowngradeBackend, Extension, KeyState, LeaseId, LockBackend, LockKey, Release, Result, Runtime,
    Timestamp, TryAcquire, Ttl,
};

mockall::mock! {
    /// A [`LockBackend`](leasehold::LockBackend) with mockall's expectations: `expect_try_acquire`, `expect_release`, and so on.
    ///
    /// ```
    /// use leasehold::{AcquireRequest, Effect, Error, ErrorKind, LockBackend, LockKey, Runtime, Ttl};
    /// use leasehold_testkit::mock::MockLockBackend;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (runtime, _clock) = Runtime::manual(7);
    /// let mut backend = MockLockBackend::on(runtime);
    /// backend
    ///     .expect_try_acquire()
    ///     .withf(|request| request.key().as_str() == "job")
    ///     .times(1)
    ///     .returning(|_| Err(Error::new(ErrorKind::Unavailable, Effect::Unknown, "no reply")));
    ///
    /// let id = backend.runtime().lease_id();
    /// let ttl = Ttl::MIN;
    /// let request = AcquireRequest::new(LockKey::new("job")?, id, ttl);
    /// let error = backend.try_acquire(&request).await.unwrap_err();
    /// assert_eq!(error.effect(), Effect::Unknown);
    /// # Ok::<(), Error>(())
    /// # }).unwrap();
    /// ```
    #[derive(Debug)]
    pub LockBackend {}

    #[async_trait]
    impl LockBackend for LockBackend {
        async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire>;
        async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire>;
        async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension>;
        async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release>;
        async fn inspect(&self, key: &LockKey) -> Result<KeyState>;
        fn capabilities(&self) -> Capabilities;
        fn runtime(&self) -> &Runtime;
        fn batch(&self) -> Option<&'static dyn BatchBackend>;
        fn admin(&self) -> Option<&'static dyn AdminBackend>;
        fn downgrader(&self) -> Option<&'static dyn DowngradeBackend>;
    }
}

impl MockLockBackend {
    /// A mock on this runtime that can all but revoke, batch and downgrade; its operations expect nothing yet.
    #[must_use]
    pub fn on(runtime: Runtime) -> Self {
        let all = Capabilities::new(Duration::ZERO).with_all(Capability::ALL);
        let capabilities = all
            .without(Capability::Revoke)
            .without(Capability::Batch)
            .without(Capability::Downgrade);
        let mut mock = Self::new();
        mock.expect_capabilities().return_const(capabilities);
        mock.expect_runtime().return_const(runtime);
        mock.expect_batch().returning(|| None);
        mock.expect_admin().returning(|| None);
        mock.expect_downgrader().returning(|| None);
        mock
    }
}
