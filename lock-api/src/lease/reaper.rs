//! Releases what was dropped: guards, and acquisitions whose caller is gone.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::Notify;

use super::worker::Worker;
use crate::{LeaseId, LockBackend, LockKey, Release, Result, Runtime, observe, time::timeout_at};

/// How many releases are on their way at once.
const IN_FLIGHT: usize = 64;

/// Takes over leases and ids that nobody looks after any more and gives each one bounded release;
/// what that fails to release ends with its ttl.
#[derive(Debug, Default)]
pub(crate) struct Reaper {
    worker: Worker,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Notify,
    idle: Notify,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Taken from the queue and not yet answered.
    running: usize,
    unconfirmed: u64,
}

#[derive(Debug)]
struct Job {
    keys: Vec<LockKey>,
    id: LeaseId,
    timeout: Duration,
}

impl Reaper {
    /// Makes sure that the task runs; called where an executor is at hand.
    pub(crate) fn start<B: LockBackend + ?Sized>(&self, backend: &Arc<B>, runtime: &Runtime) {
        self.worker.ensure(runtime, || {
            run(Arc::clone(&self.shared), Arc::clone(backend), runtime.clone())
        });
    }

    /// Hands over an id; never blocks.
    pub(crate) fn hand_over(&self, keys: Vec<LockKey>, id: LeaseId, timeout: Duration) {
        self.shared.queue().jobs.push_back(Job { keys, id, timeout });
        self.shared.wake.notify_one();
    }

    /// Waits until everything handed over has been answered or given up.
    pub(crate) async fn drained(&self) {
        loop {
            let idle = self.shared.idle.notified();
            if self.pending() == 0 {
                return;
            }
            idle.await;
        }
    }

    /// What was handed over and not yet answered.
    pub(crate) fn pending(&self) -> usize {
        let queue = self.shared.queue();
        queue.jobs.len() + queue.running
    }

    /// How many releases ended without an answer so far.
    pub(crate) fn unconfirmed(&self) -> u64 {
        self.shared.queue().unconfirmed
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Job> {
        let mut queue = self.queue();
        let job = queue.jobs.pop_front()?;
        queue.running += 1;
        Some(job)
    }

    fn done(&self, job: &Job, answer: Option<Release>) {
        let mut queue = self.queue();
        queue.running -= 1;
        queue.unconfirmed += u64::from(answer.is_none());
        drop(queue);
        observe::reaped(&job.keys[0], answer);
        self.idle.notify_waiters();
    }
}

/// Counts a job as done even if the task is dropped with its executor.
struct Running<'a> {
    shared: &'a Shared,
    job: Job,
    answer: Option<Release>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.shared.done(&self.job, self.answer);
    }
}

async fn run<B: LockBackend + ?Sized>(shared: Arc<Shared>, backend: Arc<B>, runtime: Runtime) {
    let mut releases = FuturesUnordered::new();
    loop {
        while releases.len() < IN_FLIGHT
            && let Some(job) = shared.take()
        {
            releases.push(reap(&shared, &*backend, &runtime, job));
        }
        if releases.is_empty() && shared.closed.load(Ordering::Acquire) {
            return;
        }
        tokio::select! {
            biased;
            () = shared.wake.notified() => {}
            Some(()) = releases.next() => {}
        }
    }
}

async fn reap<B: LockBackend + ?Sized>(shared: &Shared, backend: &B, runtime: &Runtime, job: Job) {
    let mut running = Running { shared, job, answer: None };
    let Job { keys, id, timeout } = &running.job;
    let released = release_all(backend, runtime, keys, *id, *timeout).await;
    running.answer = observe::seen("release", keys.first(), released).ok();
}

/// Releases an id on each of its keys, within `timeout` as a whole: released if it was on every key.
pub(crate) async fn release_all<B: LockBackend + ?Sized>(
    backend: &B,
    runtime: &Runtime,
    keys: &[LockKey],
    id: LeaseId,
    timeout: Duration,
) -> Result<Release> {
    let each = keys.iter().map(|key| backend.release(key, id));
    let all = futures::future::join_all(each);
    let answers = timeout_at(runtime.clock(), runtime.now() + timeout, all).await;
    let answers = answers.ok_or_else(|| crate::Error::no_answer("release", timeout))?;
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let all_released = answers.iter().all(|answer| *answer == Release::Released);
    Ok(if all_released { Release::Released } else { Release::NotHeld })
}
