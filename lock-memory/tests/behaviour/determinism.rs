//! One seed, one history: byte for byte, run after run, on any executor.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{executor::LocalPool, future::BoxFuture, task::LocalSpawnExt};
use leasehold::{Acquire, AcquireRequest, LockBackend, Mode, Ttl};
use leasehold_memory::MemoryBackend;

use crate::support::*;

const WORKERS: usize = 8;
const ROUNDS: usize = 25;

type History = Arc<Mutex<String>>;

/// A number below `bound`, from the backend's seed.
fn draw(backend: &MemoryBackend, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    backend.runtime().entropy().fill(&mut bytes);
    u64::from_le_bytes(bytes) % bound
}

async fn worker(backend: MemoryBackend, name: usize, history: History) {
    let runtime = backend.runtime();
    let note = |event: &(dyn Debug + Sync)| {
        writeln!(history.lock().unwrap(), "{} {name} {event:?}", runtime.now()).unwrap();
    };
    for _ in 0..ROUNDS {
        let key = key(["a", "b", "c"][usize::try_from(draw(&backend, 3)).unwrap()]);
        let lasting = Ttl::new(Duration::from_millis(5 + draw(&backend, 20))).unwrap();
        let request = AcquireRequest::new(key.clone(), runtime.lease_id(), lasting);
        let request = match draw(&backend, 3) {
            0 => request.with_mode(Mode::READ, 1).unwrap(),
            1 => request.with_min_hold(Duration::from_millis(3)).unwrap(),
            _ => request,
        };
        let deadline = runtime.now() + Duration::from_millis(draw(&backend, 40));
        note(&request);
        let outcome = backend.acquire(&request, deadline).await;
        note(&outcome);
        if let Ok(Acquire::Granted(_)) = outcome {
            // Some outstay their lease.
            runtime.sleep(Duration::from_millis(draw(&backend, 15))).await;
            note(&backend.release(&key, request.id()).await);
            note(&backend.inspect(&key).await);
        }
    }
}

/// Starts the program with `spawn`, which starts a task; what comes back runs the clock and gives the history.
fn program(
    seed: u64,
    mut spawn: impl FnMut(BoxFuture<'static, ()>),
) -> impl Future<Output = String> {
    let (backend, clock) = MemoryBackend::manual(seed);
    let history = History::default();
    for name in 0..WORKERS {
        spawn(Box::pin(worker(backend.clone(), name, Arc::clone(&history))));
    }
    async move {
        clock.advance(secs(10)).await;
        assert_eq!(clock.timers(), 0, "everybody is done");
        history.lock().unwrap().clone()
    }
}

fn on_tokio(seed: u64) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let history = program(seed, |task| drop(runtime.spawn(task)));
    runtime.block_on(history)
}

fn on_futures(seed: u64) -> String {
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    let history = program(seed, |task| spawner.spawn_local(task).unwrap());
    pool.run_until(history)
}

#[test]
fn one_seed_gives_one_history_on_every_run_and_every_executor() {
    let first = on_tokio(7);
    assert!(first.lines().count() > WORKERS * ROUNDS * 2, "the program did its work");
    assert!(first.contains("TimedOut"), "some waited in vain");
    assert_eq!(first, on_tokio(7));
    assert_eq!(first, on_futures(7));
    assert_ne!(first, on_tokio(8), "the seed decides");
}
