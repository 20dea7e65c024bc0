//! A large history of a real server: tens of clients over several connections, short leases. It is accepted, and the same
//! data are refused with one wrong token, one wrong outcome, and if leases were a fraction of a millisecond shorter
//! than they are said to be.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use leasehold::{Acquire, AcquireRequest, LockBackend, Runtime, TryAcquire, Ttl};
use leasehold_testkit::{
    check::lock::{Options, Verdict, check},
    history::{Call, History, Operation, Outcome},
    model::lock::Slack,
    record::{Recorder, Recording},
    report::Evidence,
};
use support::{RedisServer, builder};

const OPERATIONS: usize = 20_000;
const CLIENTS: usize = 32;
const CONNECTIONS: usize = 4;
const KEYS: usize = 4;
const TTL: Duration = Duration::from_millis(20);

/// The scripts compare microseconds, so this is our own slack: a microsecond, and what one machine's two clocks may differ
/// by in rate. Nothing else.
const SLACK: Slack = Slack { rate_ppm: 500, jitter_ns: 0, resolution_ns: 1_000 };

/// So much shorter, and leases no longer explain what was read of them (100 µs was enough on a busy machine, 20 µs not).
const SHORTER: Duration = Duration::from_micros(500);

/// What all clients share.
struct Load {
    recording: Recording,
    operations: AtomicUsize,
}

impl Load {
    async fn count<T>(&self, call: impl Future<Output = leasehold::Result<T>>) -> T {
        self.operations.fetch_add(1, Ordering::Relaxed);
        call.await.unwrap()
    }

    /// A client that asks, looks, extends and gives back, again and again; every third lease runs out.
    async fn client(&self, number: usize, backend: Arc<dyn LockBackend>) {
        let backend = Recorder::over(backend, self.recording.clone(), format!("c{number}"));
        let runtime = backend.runtime().clone();
        let (key, ttl) =
            (support::key(&format!("large:{}", number % KEYS)), Ttl::new(TTL).unwrap());
        let mut round = number;
        while self.operations.load(Ordering::Relaxed) < OPERATIONS {
            round += 1;
            let request = AcquireRequest::new(key.clone(), runtime.lease_id(), ttl);
            let granted = if round.is_multiple_of(4) {
                let waiting = backend.acquire(&request, runtime.now() + TTL * 50);
                matches!(self.count(waiting).await, Acquire::Granted(_))
            } else {
                matches!(self.count(backend.try_acquire(&request)).await, TryAcquire::Granted(_))
            };
            self.count(backend.inspect(&key)).await;
            if granted && round.is_multiple_of(3) {
                runtime.sleep(TTL - Duration::from_millis(1)).await;
                self.count(backend.inspect(&key)).await;
                self.count(backend.extend(&key, request.id(), ttl)).await;
                runtime.sleep(TTL).await;
            } else if granted {
                self.count(backend.extend(&key, request.id(), ttl)).await;
            }
            if granted {
                self.count(backend.release(&key, request.id())).await;
            }
        }
    }
}

async fn record() -> History {
    let server = RedisServer::start();
    let runtime = Runtime::tokio();
    let load = Load { recording: Recording::new(&runtime), operations: AtomicUsize::new(0) };
    let mut connections: Vec<Arc<dyn LockBackend>> = Vec::new();
    for _ in 0..CONNECTIONS {
        let connecting = builder(&server).runtime(runtime.clone()).connect();
        connections.push(Arc::new(connecting.await.unwrap()));
    }
    let client = |number| load.client(number, Arc::clone(&connections[number % CONNECTIONS]));
    join_all((0..CLIENTS).map(client)).await;
    load.recording.history()
}

fn verdict(history: &History) -> Verdict {
    check(history, &Options { slack: SLACK, ..Options::default() }).verdict
}

/// The first operation, once the load is under way, whose outcome this changes; with its change.
///
/// Not at the end: to refuse a history for good, everything up to the contradiction is searched for grants that nobody
/// saw, which takes many times as long as to accept it.
fn corrupted(history: &History, change: fn(&Outcome) -> Option<Outcome>) -> History {
    let late = &history.operations()[history.len() / 50..];
    let of = |op: &Operation| op.outcome().and_then(change).map(|outcome| (op.id, outcome));
    let (id, wrong) = late.iter().find_map(of).unwrap();
    history.map(|op| {
        if let (true, Some((_, outcome))) = (op.id == id, &mut op.returned) {
            *outcome = wrong.clone();
        }
    })
}

/// As if leases were this much shorter than what was asked for.
fn shortened(history: &History, by: Duration) -> History {
    let by = u64::try_from(by.as_nanos()).unwrap();
    history.map(|op| {
        match &mut op.call {
            Call::TryAcquire(request) | Call::Acquire { request, .. } => request.ttl_ns -= by,
            Call::Extend { ttl_ns, .. } => *ttl_ns -= by,
            _ => {}
        }
        if let Some((_, Outcome::Granted { ttl_ns, .. })) = &mut op.returned {
            *ttl_ns -= by;
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_history_is_accepted_and_refused_once_it_is_wrong() {
    let history = record().await;
    let evidence = Evidence::of(&history);
    assert!(history.len() >= OPERATIONS, "{evidence}");
    assert!(!evidence.is_vacuous(), "{evidence}");
    assert_eq!(verdict(&history), Verdict::Ok, "{evidence}");
    assert!(verdict(&shortened(&history, SHORTER)).is_violation());
    let old_token = corrupted(&history, |outcome| match outcome {
        Outcome::Granted { ttl_ns, .. } => Some(Outcome::Granted { token: 1, ttl_ns: *ttl_ns }),
        _ => None,
    });
    assert!(verdict(&old_token).is_violation());
    let not_released = corrupted(&history, |outcome| match outcome {
        Outcome::Released => Some(Outcome::NotHeld),
        _ => None,
    });
    assert!(verdict(&not_released).is_violation());
}
