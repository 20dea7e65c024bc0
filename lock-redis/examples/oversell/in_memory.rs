//! Everything in this process: the stock, the lock, and several worker tasks that serve the buyers.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use leasehold::{LockBackend, Locker, async_trait};
use leasehold_memory::MemoryBackend;
use tokio::task::JoinSet;

use crate::{
    Problem, WORKERS,
    args::Args,
    crowd::{self, Tally},
    report::Round,
    shares,
    shop::{Shop, Stock},
};

/// How the report calls it.
pub(crate) const PLACE: &str = "4 worker tasks of one process, stock and lock in memory";

/// A stock in memory that behaves as one behind a network: every request lets others run.
#[derive(Debug)]
struct MemoryStock(AtomicU32);

#[async_trait]
impl Stock for MemoryStock {
    async fn read(&self) -> Result<u32, Problem> {
        tokio::task::yield_now().await;
        Ok(self.0.load(Ordering::SeqCst))
    }

    async fn write(&self, left: u32) -> Result<(), Problem> {
        tokio::task::yield_now().await;
        self.0.store(left, Ordering::SeqCst);
        Ok(())
    }
}

/// Opens the shop for one crowd.
pub(crate) fn round(args: &Args, locked: bool) -> Result<Round, Problem> {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS as usize)
        .enable_time()
        .build()?;
    threads.block_on(serve(args, locked))
}

async fn serve(args: &Args, locked: bool) -> Result<Round, Problem> {
    let backend = MemoryBackend::new();
    let runtime = backend.runtime().clone();
    let locker = locked.then(|| Locker::new(backend));
    let stock = Arc::new(MemoryStock(AtomicU32::new(args.items)));
    let shop = Shop { stock, runtime: runtime.clone() };

    let opened = runtime.now();
    let mut workers = JoinSet::new();
    for buyers in shares(args.buyers) {
        let (shop, locker) = (shop.clone(), locker.clone());
        workers.spawn(async move { crowd::serve(&shop, locker.as_ref(), buyers).await });
    }
    let mut tally = Tally::default();
    while let Some(worker) = workers.join_next().await {
        tally.add(worker?);
    }
    Ok(Round { tally, left: shop.stock.read().await?, took: runtime.now().since(opened) })
}
