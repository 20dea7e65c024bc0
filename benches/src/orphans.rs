//! A thousand acquisitions dropped at random moments: what stays behind.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};
use leasehold::Locker;
use leasehold_redis::RedisBackend;

use crate::{
    Outcome,
    report::{Report, Target},
    server::Server,
};

const DROPS: u64 = 1_000;
/// Rounds of the executor: from before the command is sent until well after its answer is there.
const ROUNDS: f64 = 400.0;

pub(crate) async fn bench(report: &mut Report) -> Outcome<()> {
    let server = Server::start().await?;
    let locker =
        Locker::new(RedisBackend::builder(server.url()).without_quarantine().connect().await?);
    let mut dropped = 0;
    let entropy = locker.runtime().entropy();
    for n in 0..DROPS {
        let rounds = (entropy.unit() * ROUNDS).round();
        let acquiring = locker.lock(format!("orphan:{}", n % 50)).wait(Duration::from_secs(5));
        let (acquiring, patience) = (pin!(acquiring.acquire()), pin!(come_round(rounds)));
        dropped += u64::from(matches!(select(acquiring, patience).await, Either::Right(_)));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut orphans = 0;
    for n in 0..50 {
        let state = locker.inspect(format!("orphan:{n}")).await?;
        orphans += state.leases.len() + state.waiters.len();
    }
    report.shown("orphans/acquisitions dropped on their way".into(), dropped as f64, "of 1000");
    report.judged(
        "orphans/leases and waiters left behind".into(),
        orphans as f64,
        "left",
        Target::AtMost(0.0),
    );
    Ok(())
}

async fn come_round(rounds: f64) {
    let mut left = rounds;
    while left > 0.0 {
        tokio::task::yield_now().await;
        left -= 1.0;
    }
}
