//! Generated programs on a real server: recorded over several connections, checked, and not vacuous; and a
//! corrupted copy of what was recorded is refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use leasehold::{Capabilities, LockBackend, Runtime};
use leasehold_testkit::{
    check::lock::{Options, check},
    generate::{Criteria, Profile, generate, in_real_time},
    history::{HeldReason, History, Outcome},
    model::lock::Slack,
    report::Evidence,
};
use support::{RedisServer, builder};

const PROGRAMS: u64 = 120;
const AT_ONCE: usize = 24;
const CONNECTIONS: usize = 4;

/// The server's clock and ours are one machine's: they may differ in rate and jitter a little.
fn criteria(capabilities: &Capabilities) -> Criteria {
    let resolution_ns = u64::try_from(capabilities.expiry_resolution().as_nanos()).unwrap();
    let slack = Slack { rate_ppm: 500, jitter_ns: 200_000, resolution_ns };
    Criteria { options: Options { slack, ..Options::default() }, ..Criteria::default() }
}

async fn connections(server: &RedisServer, runtime: &Runtime) -> Vec<Arc<dyn LockBackend>> {
    let mut connections: Vec<Arc<dyn LockBackend>> = Vec::new();
    for _ in 0..CONNECTIONS {
        let backend = builder(server).runtime(runtime.clone()).without_quarantine();
        connections.push(Arc::new(backend.connect().await.unwrap()));
    }
    connections
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_programs_pass_over_several_connections() {
    let server = RedisServer::start();
    let runtime = Runtime::tokio();
    let connections = connections(&server, &runtime).await;
    let criteria = criteria(&connections[0].capabilities());
    let run = async |seed| {
        let program = generate(Profile::Real, seed);
        let prefix = format!("generated:{seed}:");
        (in_real_time(&program, &runtime, &connections, &prefix).await.unwrap(), program)
    };
    let mut running = stream::iter(0..PROGRAMS).map(run).buffer_unordered(AT_ONCE);
    let mut evidence = Evidence::default();
    let mut refused_copies = 0;
    while let Some((history, program)) = running.next().await {
        evidence += Evidence::of(&history);
        if let Some(copy) = corrupted(&history) {
            assert!(check(&copy, &criteria.options).verdict.is_violation(), "{program}");
            refused_copies += 1;
        }
        let ran = criteria.judge(history);
        assert_eq!(ran.finding, None, "{}\n{program}", criteria.report(&ran, <_>::default()));
    }
    assert!(!evidence.is_vacuous(), "{evidence}");
    assert!(refused_copies > 0);
}

/// A copy in which a try that was held by a lease says that it was granted.
fn corrupted(history: &History) -> Option<History> {
    let held = Outcome::Held { reason: HeldReason::Lease };
    let lied = history.operations().iter().find(|op| op.outcome() == Some(&held))?.id;
    Some(history.map(|op| {
        if let (true, Some((_, outcome))) = (op.id == lied, &mut op.returned) {
            *outcome = Outcome::Granted { token: u64::MAX / 4, ttl_ns: ttl_ns() };
        }
    }))
}

fn ttl_ns() -> u64 {
    u64::try_from(Duration::from_secs(1).as_nanos()).unwrap()
}
