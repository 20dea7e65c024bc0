//! What the clients of these tests do.

use std::time::Duration;

use leasehold::timeout_at;
use leasehold_testkit::sim::{FaultPlan, Node, Run};

/// The names of the points that [`work`] comes to.
pub(crate) const POINTS: [&str; 2] = ["check", "write"];

/// Takes a lock a few times, works under it with keep-alive, and gives it back.
pub(crate) async fn work(node: Node) {
    let locker = node.locker();
    for _ in 0..4 {
        let request = locker.lock("job").keep_alive().wait(Duration::from_secs(3));
        if let Ok(guard) = request.acquire().await {
            node.watch(&guard);
            node.point("check").await;
            node.runtime().sleep(guard.remaining() / 2).await;
            node.point("write").await;
            let _released = guard.release().await;
        }
        node.runtime().sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn plan(text: &str) -> FaultPlan {
    text.parse().unwrap()
}

/// Everything that a run shows, as text.
pub(crate) fn transcript(run: &Run) -> String {
    let mut bytes = Vec::new();
    run.history.write_to(&mut bytes).unwrap();
    run.server.write_to(&mut bytes).unwrap();
    let histories = String::from_utf8(bytes).unwrap();
    format!("{}{histories}{:?}{:?}{}", run.trace, run.faults, run.findings, run.replay)
}

/// Does a bit of everything that a locker can: keeps alive, outlives its lease, tries, drops what it holds and what it asks for.
pub(crate) async fn everything(node: Node) {
    let locker = node.locker();
    let runtime = node.runtime();
    let own = format!("job of client {}", node.number());
    let patience = Duration::from_secs(3);
    if let Ok(Some(guard)) = locker.lock(own.as_str()).keep_alive().try_acquire().await {
        node.watch(&guard);
        node.point("check").await;
        runtime.sleep(Duration::from_millis(2_500)).await;
        let _released = guard.release().await;
    }
    if let Ok(guard) = locker.lock("job").wait(patience).acquire().await {
        node.watch(&guard);
        runtime.sleep(Duration::from_millis(1_100)).await;
        node.point("write").await;
        let _released = guard.release().await;
    }
    if let Ok(guard) = locker.lock("job").keep_alive().wait(patience).acquire().await {
        node.watch(&guard);
        runtime.sleep(Duration::from_millis(400)).await;
        drop(guard);
    }
    let soon = runtime.now() + Duration::from_millis(5);
    let _maybe = timeout_at(runtime.clock(), soon, locker.try_acquire(own.as_str())).await;
    for key in [own.as_str(), "job", "job"] {
        if let Ok(Some(guard)) = locker.try_acquire(key).await {
            node.watch(&guard);
            let _released = guard.release().await;
        }
        runtime.sleep(Duration::from_millis(50)).await;
    }
}
