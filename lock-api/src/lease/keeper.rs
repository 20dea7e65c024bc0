//! One task per locker that renews leases and tells of their end, on time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::Notify;

use super::{
    End, Loss,
    life::TICK,
    record::Record,
    renewal::{BATCH, renew},
    worker::Worker,
};
use crate::{LeaseId, LockBackend, RevocationListener, Runtime, Timestamp, observe};

/// Watches over every lease of a locker.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    worker: Worker,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    schedule: Mutex<Schedule>,
    wake: Notify,
    runtime: OnceLock<Runtime>,
}

#[derive(Debug, Default)]
struct Schedule {
    leases: BTreeMap<u64, Entry>,
    by_id: BTreeMap<LeaseId, u64>,
    due: BTreeSet<(Timestamp, u64)>,
    next_number: u64,
    /// When the task will look again by itself.
    armed: Option<Timestamp>,
    closed: bool,
    listening: bool,
}

type Watched = (u64, Arc<Record>);

#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    at: Option<Timestamp>,
}

impl Keeper {
    /// Makes sure that the task runs; called where an executor is at hand.
    pub(crate) fn start<B: LockBackend + ?Sized>(&self, backend: &Arc<B>, runtime: &Runtime) {
        self.worker.ensure(runtime, || {
            self.shared.runtime.get_or_init(|| runtime.clone());
            self.listen(&**backend);
            run(Arc::clone(&self.shared), Arc::clone(backend), runtime.clone())
        });
    }

    /// Wants to know of revocations, once.
    fn listen<B: LockBackend + ?Sized>(&self, backend: &B) {
        let first = !std::mem::replace(&mut self.shared.schedule().listening, true);
        if let Some(admin) = backend.admin().filter(|_| first) {
            let shared: Arc<dyn RevocationListener> = Arc::<Shared>::clone(&self.shared);
            admin.watch_revocations(Arc::downgrade(&shared));
        }
    }

    /// Watches over `record` until the returned number is handed to [`forget`](Self::forget).
    pub(crate) fn register(&self, record: Arc<Record>) -> u64 {
        let mut schedule = self.shared.schedule();
        schedule.next_number += 1;
        let number = schedule.next_number;
        schedule.by_id.insert(record.id(), number);
        schedule.leases.insert(number, Entry { record, at: None });
        number
    }

    /// Reads the record's next event again, after it changed.
    pub(crate) fn reschedule(&self, number: u64) {
        let sooner = self.shared.schedule().place(number);
        if sooner {
            self.shared.wake.notify_one();
        }
    }

    /// Stops watching. A renewal that is on its way no longer matters.
    pub(crate) fn forget(&self, number: u64) {
        let mut schedule = self.shared.schedule();
        let Some(Entry { record, at }) = schedule.leases.remove(&number) else {
            return;
        };
        schedule.by_id.remove(&record.id());
        if let Some(at) = at {
            schedule.due.remove(&(at, number));
        }
    }

    /// Every lease that is watched over.
    pub(crate) fn leases(&self) -> Vec<Arc<Record>> {
        let schedule = self.shared.schedule();
        schedule.leases.values().map(|entry| Arc::clone(&entry.record)).collect()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.schedule().closed = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RevocationListener for Shared {
    fn revoked(&self, id: LeaseId) {
        let now = self.runtime.get().map_or(Timestamp::ORIGIN, Runtime::now);
        let mut schedule = self.schedule();
        let Some(number) = schedule.by_id.get(&id).copied() else {
            return;
        };
        if let Some(entry) = schedule.leases.get(&number) {
            entry.record.end(End::Lost(Loss::Revoked), now);
        }
        schedule.place(number);
    }

    fn clock_stepped(&self, by: Duration, seen: Timestamp) {
        let mut schedule = self.schedule();
        let numbers: Vec<_> = schedule.leases.keys().copied().collect();
        for number in numbers {
            if let Some(entry) = schedule.leases.get(&number) {
                entry.record.clock_stepped(by, seen);
            }
            schedule.place(number);
        }
        // The task tells those whose end is over now.
        self.wake.notify_one();
    }
}

impl Schedule {
    /// Forgets renewals that were on their way when the task's executor went away.
    fn resume(&mut self) {
        let numbers: Vec<_> = self.leases.keys().copied().collect();
        for number in numbers {
            if let Some(entry) = self.leases.get(&number) {
                entry.record.renewal_abandoned();
            }
            self.place(number);
        }
    }

    /// Puts a lease where its next event is; `true` if the task must look sooner than it would.
    fn place(&mut self, number: u64) -> bool {
        let Some(entry) = self.leases.get_mut(&number) else {
            return false;
        };
        let at = entry.record.next_event();
        if let Some(old) = std::mem::replace(&mut entry.at, at) {
            self.due.remove(&(old, number));
        }
        let Some(at) = at else {
            return false;
        };
        self.due.insert((at, number));
        self.armed.is_none_or(|armed| at < armed)
    }

    /// Ticks every lease whose time has come, or nearly, and returns those to renew now.
    fn tick(&mut self, now: Timestamp) -> Vec<Watched> {
        let nearly = (now + TICK, u64::MAX);
        let due: Vec<_> = self.due.range(..=nearly).map(|(_, number)| *number).collect();
        let mut renew = Vec::new();
        for number in due {
            let Some(entry) = self.leases.get(&number) else {
                continue;
            };
            let record = Arc::clone(&entry.record);
            let planned = entry.at;
            if record.tick(now).renew {
                observe::renewing(now.since(planned.unwrap_or(now)));
                renew.push((number, record));
            }
            self.place(number);
        }
        renew
    }
}

async fn run<B: LockBackend + ?Sized>(shared: Arc<Shared>, backend: Arc<B>, runtime: Runtime) {
    shared.schedule().resume();
    let mut renewals = FuturesUnordered::new();
    loop {
        let due = {
            let mut schedule = shared.schedule();
            if schedule.closed {
                return;
            }
            let due = schedule.tick(runtime.now());
            schedule.armed = schedule.due.first().map(|(at, _)| *at);
            due
        };
        for batch in due.chunks(BATCH) {
            renewals.push(renew_batch(&shared, &backend, &runtime, batch.to_vec()));
        }
        let next = shared.schedule().armed;
        let timer = async {
            match next {
                Some(next) => runtime.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = shared.wake.notified() => {}
            Some(()) = renewals.next() => {}
            () = timer => {}
        }
    }
}

/// Renews a batch, then puts its leases where their next events are now.
async fn renew_batch<B: LockBackend + ?Sized>(
    shared: &Shared,
    backend: &Arc<B>,
    runtime: &Runtime,
    batch: Vec<Watched>,
) {
    let (numbers, records): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    renew(&**backend, runtime, &records).await;
    let mut schedule = shared.schedule();
    for number in numbers {
        schedule.place(number);
    }
}
