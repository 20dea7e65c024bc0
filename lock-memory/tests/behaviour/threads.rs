//! On real threads, and on tokio's paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{
    executor::block_on,
    future::{Either, select},
};
use leasehold::{
    Acquire, AcquireRequest, KeyState, LeaseId, LockBackend, Release, Runtime, Timestamp,
    TryAcquire,
};
use leasehold_memory::{MemoryBackend, state::Retention};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn paused_tokio_time_drives_leases_and_waiters() {
    let backend = MemoryBackend::new();
    granted(&backend.try_acquire(&by(1)).await.unwrap());
    let start = backend.runtime().now();

    let late = backend.acquire(&by(2), start + secs(4)).await.unwrap();
    assert!(matches!(late, Acquire::TimedOut(_)));
    let waited = backend.runtime().now().since(start);
    assert!((secs(4)..secs(5)).contains(&waited), "{waited:?}");

    acquired(&backend.acquire(&by(3), start + secs(60)).await.unwrap());
    let waited = backend.runtime().now().since(start);
    assert!((secs(9)..secs(11)).contains(&waited), "{waited:?}");
}

/// A resource per key that must never be entered twice.
#[derive(Default)]
struct Room {
    taken: AtomicBool,
    visits: AtomicUsize,
}

impl Room {
    async fn visit(&self) {
        assert!(!self.taken.swap(true, Ordering::SeqCst), "two at once");
        tokio::task::yield_now().await;
        self.visits.fetch_add(1, Ordering::SeqCst);
        self.taken.store(false, Ordering::SeqCst);
    }
}

/// Takes `names` in one request; every third attempt is dropped as soon as something else is ready.
async fn visit(backend: &MemoryBackend, names: &[usize], rooms: &[Room], impatient: bool) {
    let keys = names.iter().map(|name| key(&format!("room-{name}")));
    let id = backend.runtime().lease_id();
    let request = AcquireRequest::for_keys(keys, id, ttl(3600)).unwrap();
    let acquire = backend.acquire(&request, Timestamp::MAX);
    let outcome = if impatient {
        match select(acquire, Box::pin(tokio::task::yield_now())).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => return,
        }
    } else {
        acquire.await
    };
    acquired(&outcome.unwrap());
    for name in names {
        rooms[*name].visit().await;
    }
    for key in request.keys() {
        backend.release(key, id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_wait_give_up_and_take_several_keys_never_meet_and_never_hang() {
    const ROOMS: usize = 3;
    let backend = MemoryBackend::new();
    let rooms: Arc<[Room]> = (0..ROOMS).map(|_| Room::default()).collect();
    let tasks: Vec<_> = (0..8)
        .map(|worker| {
            let (backend, rooms) = (backend.clone(), Arc::clone(&rooms));
            tokio::spawn(async move {
                for round in 0..300 {
                    let one = (worker + round) % ROOMS;
                    // Few take two rooms: they stand in no queue, and must pass those who do.
                    let other = (one + 1) % ROOMS;
                    let two = worker == 0 && round % 50 == 0;
                    let names = if two { vec![one, other] } else { vec![one] };
                    visit(&backend, &names, &rooms, round % 3 == 0 && !two).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for name in 0..ROOMS {
        let state = backend.inspect(&key(&format!("room-{name}"))).await.unwrap();
        assert_eq!(state, KeyState::default());
        assert!(rooms[name].visits.load(Ordering::SeqCst) > 0);
    }
}

/// Keys are forgotten all the time here: another thread makes new ones, and nothing is remembered.
#[test]
fn a_key_forgotten_by_one_thread_is_not_lost_by_another() {
    let (runtime, clock) = Runtime::manual(1);
    let retention = Retention { time: Duration::ZERO, ids: 0 };
    let backend = MemoryBackend::with_retention(runtime, retention);
    let (room, done) = (Room::default(), AtomicUsize::new(0));
    let visitor = |name: u8| {
        for round in 0..20_000_u32 {
            let mut bytes = [name; 16];
            bytes[..4].copy_from_slice(&round.to_le_bytes());
            let request = AcquireRequest::new(key("k"), LeaseId::from_bytes(bytes), ttl(3600));
            let outcome = block_on(backend.try_acquire(&request)).unwrap();
            if matches!(outcome, TryAcquire::Granted(_)) {
                assert!(!room.taken.swap(true, Ordering::SeqCst), "two at once");
                room.visits.fetch_add(1, Ordering::SeqCst);
                room.taken.store(false, Ordering::SeqCst);
                let released = block_on(backend.release(&key("k"), request.id())).unwrap();
                assert_eq!(released, Release::Released, "a lease was lost");
            }
        }
        done.fetch_add(1, Ordering::SeqCst);
    };
    let forgetter = || {
        let mut number = 0;
        while done.load(Ordering::SeqCst) < 2 {
            number += 1;
            clock.jump_to(Timestamp::from_nanos(number * 10_000));
            // A new key each time, so that old ones are reviewed.
            let fresh = key(&format!("fresh-{number}"));
            block_on(backend.release(&fresh, id(9))).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| visitor(1));
        scope.spawn(|| visitor(2));
        scope.spawn(forgetter);
    });
    assert!(room.visits.load(Ordering::SeqCst) > 1000);
}
