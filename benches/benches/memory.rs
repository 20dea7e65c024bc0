//! What the façade costs: one uncontended acquire and release in memory, on the bare backend and through a locker.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use leasehold::{AcquireRequest, LockBackend, LockKey, Locker, Result, Ttl};
use leasehold_memory::MemoryBackend;
use tokio::runtime::Builder;

const KEY: &str = "bench:uncontended";

fn uncontended(criterion: &mut Criterion) {
    let Ok(runtime) = Builder::new_current_thread().enable_time().build() else {
        return;
    };
    let mut group = criterion.benchmark_group("memory/uncontended");
    group.throughput(Throughput::Elements(1));
    group.bench_function("backend", |bench| {
        let backend = MemoryBackend::new();
        bench.to_async(&runtime).iter(async || assert!(bare(&backend).await.is_ok()));
    });
    group.bench_function("locker, typed", |bench| {
        let locker = Locker::typed(MemoryBackend::new());
        bench.to_async(&runtime).iter(async || assert!(through(&locker).await.is_ok()));
    });
    group.bench_function("locker, dyn", |bench| {
        let locker = Locker::new(MemoryBackend::new());
        bench.to_async(&runtime).iter(async || assert!(through(&locker).await.is_ok()));
    });
    group.finish();
}

/// What any user of a backend has to do: check the key and the ttl, draw an id, acquire, release.
async fn bare(backend: &MemoryBackend) -> Result<()> {
    let key = LockKey::new(KEY)?;
    let id = backend.runtime().lease_id();
    let request = AcquireRequest::new(key, id, Ttl::new(Duration::from_secs(30))?);
    black_box(backend.try_acquire(&request).await?);
    black_box(backend.release(request.key(), id).await?);
    Ok(())
}

async fn through<B: LockBackend + ?Sized>(locker: &Locker<B>) -> Result<()> {
    if let Some(guard) = locker.try_acquire(KEY).await? {
        black_box(guard.release().await?);
    }
    Ok(())
}

criterion_group!(benches, uncontended);
criterion_main!(benches);
