//! A backend whose faults the tests turn on and off, around the in-memory one.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::future_not_send,
    reason = "test support: each binary uses a part of it"
)]

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Downgrade, DowngradeBackend,
    ExtendRequest, Extension, KeyPage, KeyState, LeaseId, ListRequest, LockBackend, LockKey,
    Locker, Release, Result, RevocationListener, Revoked, Runtime, Timestamp, TryAcquire, Ttl,
    VirtualClock, async_trait,
};
use leasehold_memory::MemoryBackend;

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn key(name: &str) -> LockKey {
    LockKey::new(name).unwrap()
}

/// A locker on a clock turned by hand, over a backend with faults.
pub(crate) fn manual() -> (Locker<Faulty>, Arc<Faults>, VirtualClock) {
    let (memory, clock) = MemoryBackend::manual(1);
    let faulty = Faulty::new(memory);
    let faults = Arc::clone(&faulty.faults);
    (Locker::typed(faulty), faults, clock)
}

/// What can go wrong, and what was called.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Operations never reach the backend and never answer.
    pub(crate) frozen: AtomicBool,
    /// Operations take effect but never answer.
    pub(crate) mute: AtomicBool,
    /// What is done to each grant on its way back.
    pub(crate) tamper: std::sync::Mutex<Option<fn(&mut leasehold::Grant)>>,
    /// Extensions are answered as if the lease were over.
    pub(crate) forgetful: AtomicBool,
    /// The backend does not declare several keys, and refuses them.
    pub(crate) one_key: AtomicBool,
    /// The backend declares several keys, and refuses them all the same: they lie in different slots.
    pub(crate) slots: AtomicBool,
    /// The backend can't make a writer a reader.
    pub(crate) no_downgrades: AtomicBool,
    /// How often the executor comes round before and after each operation takes effect.
    pub(crate) rounds: AtomicUsize,
    /// How long an extension takes to answer.
    pub(crate) slow_extend: std::sync::Mutex<Duration>,
    pub(crate) tries: AtomicUsize,
    pub(crate) extends: AtomicUsize,
    pub(crate) batches: AtomicUsize,
    pub(crate) releases: AtomicUsize,
    /// Extensions on their way at once, now and at the most.
    pub(crate) extending: AtomicUsize,
    pub(crate) most_extending: AtomicUsize,
}

impl Faults {
    pub(crate) fn freeze(&self, on: bool) {
        self.frozen.store(on, Ordering::SeqCst);
    }

    pub(crate) fn forget_leases(&self, on: bool) {
        self.forgetful.store(on, Ordering::SeqCst);
    }

    pub(crate) fn mute(&self, on: bool) {
        self.mute.store(on, Ordering::SeqCst);
    }

    pub(crate) fn count(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::SeqCst)
    }

    pub(crate) fn calls(&self) -> usize {
        Self::count(&self.tries) + Self::count(&self.extends) + Self::count(&self.releases)
    }

    /// What a backend answers that can't take all keys of the request at once.
    fn refuse_several(&self, request: &AcquireRequest) -> Result<()> {
        let refuses = self.one_key.load(Ordering::SeqCst) || self.slots.load(Ordering::SeqCst);
        if refuses && request.keys().len() > 1 {
            return Err(leasehold::Error::unsupported("several keys"));
        }
        Ok(())
    }

    async fn before(&self) {
        if self.frozen.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.come_round().await;
    }

    async fn after(&self) {
        if self.mute.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.come_round().await;
    }

    async fn come_round(&self) {
        for _ in 0..self.rounds.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) memory: MemoryBackend,
    pub(crate) faults: Arc<Faults>,
}

impl Faulty {
    pub(crate) fn new(memory: MemoryBackend) -> Self {
        Self { memory, faults: Arc::default() }
    }

    async fn through<T>(&self, counter: &AtomicUsize, inner: impl Future<Output = T> + Send) -> T {
        counter.fetch_add(1, Ordering::SeqCst);
        self.faults.before().await;
        let answer = inner.await;
        self.faults.after().await;
        answer
    }
}

#[async_trait]
impl LockBackend for Faulty {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        self.faults.refuse_several(request)?;
        let mut answer = self.through(&self.faults.tries, self.memory.try_acquire(request)).await;
        if let (Ok(TryAcquire::Granted(grant)), Some(tamper)) =
            (&mut answer, *self.faults.tamper.lock().unwrap())
        {
            tamper(grant);
        }
        answer
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        self.faults.refuse_several(request)?;
        self.through(&self.faults.tries, self.memory.acquire(request, deadline)).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.through(&self.faults.extends, self.memory.extend(key, id, ttl)).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.through(&self.faults.releases, self.memory.release(key, id)).await
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.memory.inspect(key).await
    }

    fn capabilities(&self) -> Capabilities {
        let all = self.memory.capabilities();
        let one = self.faults.one_key.load(Ordering::SeqCst);
        let none = self.faults.no_downgrades.load(Ordering::SeqCst);
        let all = if none { all.without(leasehold::Capability::Downgrade) } else { all };
        if one { all.without(leasehold::Capability::SeveralKeys) } else { all }
    }

    fn runtime(&self) -> &Runtime {
        self.memory.runtime()
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        Some(self)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        Some(self)
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        let can = !self.faults.no_downgrades.load(Ordering::SeqCst);
        can.then_some(self as &dyn DowngradeBackend)
    }
}

#[async_trait]
impl BatchBackend for Faulty {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let faults = &self.faults;
        faults.batches.fetch_add(1, Ordering::SeqCst);
        faults.extends.fetch_add(leases.len(), Ordering::SeqCst);
        let now = faults.extending.fetch_add(1, Ordering::SeqCst) + 1;
        faults.most_extending.fetch_max(now, Ordering::SeqCst);
        let _done = Done(&faults.extending);
        faults.before().await;
        let mut answers = Vec::new();
        for lease in leases {
            answers.push(self.memory.extend(&lease.key, lease.id, lease.ttl).await);
        }
        // The effect comes first, then the answer takes its time.
        let slow = *faults.slow_extend.lock().unwrap();
        self.runtime().sleep(slow).await;
        faults.after().await;
        if faults.forgetful.load(Ordering::SeqCst) {
            return leases.iter().map(|_| Ok(Extension::Lost)).collect();
        }
        answers
    }
}

struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl AdminBackend for Faulty {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        self.memory.admin().unwrap().revoke(key).await
    }

    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        self.memory.admin().unwrap().list(request).await
    }

    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        self.memory.admin().unwrap().watch_revocations(listener);
    }
}

#[async_trait]
impl DowngradeBackend for Faulty {
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        self.faults.before().await;
        let answer = self.memory.downgrader().unwrap().downgrade(key, id).await;
        self.faults.after().await;
        answer
    }
}

/// Polls `future` until it is ready or was polled `times`, letting other tasks run in between.
pub(crate) async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Polls `future` until it is ready, and lets no other task run in between.
pub(crate) fn poll_alone<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Some(output) = poll_now(future.as_mut()) {
            return output;
        }
    }
}

/// Polls `future` once.
pub(crate) fn poll_now<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Nobody holds the key and nobody waits for it.
pub(crate) async fn assert_untouched(locker: &Locker<Faulty>, name: &str) {
    let state = locker.inspect(name).await.unwrap();
    assert_eq!(state, KeyState::default(), "something stayed behind on {name:?}");
}
