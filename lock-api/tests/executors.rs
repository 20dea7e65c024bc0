//! The same locker on other executors: the clock is turned by hand, no tokio runtime exists.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{
    executor::LocalPool,
    future::BoxFuture,
    task::{LocalSpawnExt as _, SpawnExt as _},
};
use leasehold::{Locker, Runtime, runtime::Spawn};
use leasehold_memory::MemoryBackend;

/// Tasks for a single-threaded pool, taken over by its driver.
#[derive(Debug, Default)]
struct Queue(Mutex<Vec<Task>>);

struct Task(BoxFuture<'static, ()>);

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Task")
    }
}

impl Spawn for Queue {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(Task(task));
    }
}

/// One run of a small program, as text.
fn run(seed: u64) -> String {
    let queue = Arc::new(Queue::default());
    let (runtime, clock) = Runtime::manual(seed);
    let runtime = runtime.with_spawner(Arc::<Queue>::clone(&queue));
    let locker = Locker::typed(MemoryBackend::with_runtime(runtime));
    let log = Arc::new(Mutex::new(String::new()));
    let mut pool = LocalPool::new();
    for client in 0..4 {
        let (locker, log) = (locker.clone(), Arc::clone(&log));
        let work = async move {
            for _ in 0..5 {
                let request = locker.lock("k").ttl(Duration::from_secs(3)).keep_alive();
                let guard = request.wait_forever().await.unwrap();
                let (token, id, now) = (guard.token(), guard.id(), locker.runtime().now());
                log.lock().unwrap().push_str(&format!("{client} {token} {id} {now}\n"));
                locker.runtime().sleep(Duration::from_secs(7)).await;
                assert!(guard.is_valid());
                guard.release().await.unwrap();
            }
        };
        pool.spawner().spawn_local(work).unwrap();
    }
    loop {
        for Task(task) in std::mem::take(&mut *queue.0.lock().unwrap()) {
            pool.spawner().spawn(task).unwrap();
        }
        pool.run_until_stalled();
        if !queue.0.lock().unwrap().is_empty() {
            continue;
        }
        let Some(next) = clock.next_deadline().filter(|next| next.as_nanos() < 200_000_000_000)
        else {
            break;
        };
        clock.jump_to(next);
    }
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn two_runs_with_one_seed_are_the_same_byte_for_byte() {
    let first = run(42);
    assert_eq!(first.lines().count(), 20, "{first}");
    assert_eq!(first, run(42));
    assert_ne!(first, run(43), "the seed decides the ids");
}
