//! What takes a key and gives it back within one process.

use std::{hint::black_box, sync::Arc, time::Duration};

use dashmap::DashMap;
use leasehold::{
    Acquire, AcquireRequest, LeaseId, LockBackend as _, LockKey, Locker, Runtime, TryAcquire, Ttl,
};
use leasehold_memory::MemoryBackend;

use crate::Outcome;

pub(super) const MAP: &str = "DashMap, insert and remove";
pub(super) const MUTEX: &str = "tokio's Mutex, one a key";
pub(super) const SYSTEM: &str = "leasehold, the system's clock";
pub(super) const VIRTUAL: &str = "leasehold, no clock";
pub(super) const LOCKER: &str = "leasehold, through a locker";
pub(super) const SUBJECTS: [&str; 5] = [MAP, MUTEX, SYSTEM, VIRTUAL, LOCKER];

const TTL: Duration = Duration::from_secs(30);
/// Requests are made ahead, and not counted, so many at a time.
const BATCH: usize = 256;

pub(super) enum Subject {
    Map(DashMap<LockKey, LeaseId>),
    Mutex(DashMap<LockKey, Arc<tokio::sync::Mutex<LeaseId>>>),
    Backend(MemoryBackend),
    Locker(Locker<MemoryBackend>),
}

impl Subject {
    pub(super) fn new(name: &str) -> Outcome<Self> {
        Ok(match name {
            MAP => Self::Map(DashMap::new()),
            MUTEX => Self::Mutex(DashMap::new()),
            SYSTEM => Self::Backend(MemoryBackend::new()),
            // Time stands still, so only the work is left.
            VIRTUAL => Self::Backend(MemoryBackend::manual(1).0),
            LOCKER => Self::Locker(Locker::typed(MemoryBackend::new())),
            _ => return Err(format!("no subject {name}").into()),
        })
    }

    /// Nanoseconds a pair by this clock, without those that make the requests.
    pub(super) async fn batches(
        &self,
        keys: &[LockKey],
        batches: usize,
        clock: fn() -> u64,
        contended: bool,
    ) -> Outcome<f64> {
        let runtime = Runtime::tokio();
        let mut keys = keys.iter().cycle();
        // The keys are known, and the code is warm, before anything counts.
        let (mut spent, mut pairs) = (0, 0);
        for batch in 0..batches + 8 {
            let mut requests = Vec::with_capacity(BATCH);
            for key in keys.by_ref().take(BATCH) {
                requests.push(AcquireRequest::new(key.clone(), runtime.lease_id(), Ttl::new(TTL)?));
            }
            let began = clock();
            for request in &requests {
                self.pair(request, contended).await?;
            }
            if batch >= 8 {
                spent += clock() - began;
                pairs += requests.len();
            }
        }
        Ok(spent as f64 / pairs as f64)
    }

    /// One acquire, which waits if another thread may have the key, and one release.
    async fn pair(&self, request: &AcquireRequest, contended: bool) -> Outcome<()> {
        let (key, id) = (request.key(), request.id());
        match self {
            Self::Map(map) => {
                map.insert(key.clone(), id);
                black_box(map.remove(key));
            }
            Self::Mutex(map) => {
                let found = map.get(key).map(|mutex| Arc::clone(&mutex));
                let mutex = found.unwrap_or_else(|| {
                    let made = || Arc::new(tokio::sync::Mutex::new(id));
                    Arc::clone(&map.entry(key.clone()).or_insert_with(made))
                });
                *mutex.lock().await = black_box(id);
            }
            Self::Backend(backend) if contended => {
                let deadline = backend.runtime().now() + TTL;
                let granted = backend.acquire(request, deadline).await?;
                if matches!(granted, Acquire::TimedOut(_)) {
                    return Err("a pair timed out".into());
                }
                black_box(backend.release(key, id).await?);
            }
            Self::Backend(backend) => {
                if matches!(backend.try_acquire(request).await?, TryAcquire::Held(_)) {
                    return Err("a key was not free".into());
                }
                black_box(backend.release(key, id).await?);
            }
            Self::Locker(locker) if contended => {
                black_box(locker.acquire(key).await?.release().await?);
            }
            Self::Locker(locker) => {
                let guard = locker.try_acquire(key).await?.ok_or("a key was not free")?;
                black_box(guard.release().await?);
            }
        }
        Ok(())
    }
}
