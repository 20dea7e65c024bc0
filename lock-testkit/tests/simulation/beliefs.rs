//! What a client believes is looked at whenever it matters.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold::{AcquireRequest, LockKey, Timestamp, TryAcquire, Ttl};
use leasehold_testkit::sim::{Finding, Node, Run, Sim};

/// Until when a client believes; what it says is not what it should.
type Belief = Arc<Mutex<Option<Timestamp>>>;

/// A run of one client that holds a lease of a second, and believes what it likes.
fn believing<F>(body: impl Fn(Node, Belief) -> F + Send + Sync) -> Run
where
    F: Future<Output = ()> + Send + 'static,
{
    let sim = Sim::new(1).clients(1).latency(Duration::ZERO).drift_ppm(0);
    sim.run(|node| {
        let belief = Belief::default();
        let body = body(node.clone(), Arc::clone(&belief));
        async move {
            let ttl = Ttl::new(Duration::from_secs(1)).unwrap();
            let request = AcquireRequest::new(key(), node.runtime().lease_id(), ttl);
            let granted = node.backend().try_acquire(&request).await.unwrap();
            let TryAcquire::Granted(grant) = granted else { panic!("nobody else is there") };
            *belief.lock().unwrap() = Some(node.runtime().now() + ms(900));
            let said = Arc::clone(&belief);
            node.claim(key(), grant.token, move || *said.lock().unwrap());
            body.await;
            *belief.lock().unwrap() = None;
        }
    })
}

fn key() -> LockKey {
    LockKey::new("job").unwrap()
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn not_held(run: &Run) -> bool {
    matches!(run.findings[..], [Finding::NotHeld { client: 1, .. }])
}

#[test]
fn who_believes_until_the_end_and_no_longer_is_right() {
    let run = believing(|node, _| async move { node.runtime().sleep(ms(2_000)).await });
    assert_eq!(run.findings, []);
}

#[test]
fn who_prolongs_its_belief_over_and_over_is_found_though_it_never_comes_to_the_end() {
    let run = believing(|node, belief| async move {
        for _ in 0..10 {
            node.runtime().sleep(ms(300)).await;
            *belief.lock().unwrap() = Some(node.runtime().now() + ms(900));
        }
    });
    assert!(not_held(&run), "{:?}", run.findings);
}

#[test]
fn who_believes_again_because_of_an_answer_is_found() {
    let run = believing(|node, belief| async move {
        node.runtime().sleep(ms(1_500)).await;
        let _any = node.backend().inspect(&key()).await;
        *belief.lock().unwrap() = Some(node.runtime().now() + ms(900));
        node.runtime().sleep(ms(100)).await;
    });
    assert!(not_held(&run), "{:?}", run.findings);
}
