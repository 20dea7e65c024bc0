//! A waiter takes no connection of its own.

use std::time::Duration;

use futures::future::join_all;
use leasehold::Locker;
use leasehold_redis::RedisBackend;

use crate::{
    Outcome,
    effort::Effort,
    measure,
    report::{Report, Target},
    server::Server,
};

/// Two that carry commands, one that listens, and one to spare.
const FEW: f64 = 4.0;

pub(super) async fn bench(report: &mut Report, effort: Effort) -> Outcome<()> {
    let waiters = effort.pick(500, 20);
    let server = Server::start().await?;
    let url = server.tcp_url().await?;
    let before = measure::info(&url, "clients", "connected_clients").await?;
    let locker = Locker::typed(RedisBackend::builder(&url).without_quarantine().connect().await?);
    let held = locker.acquire("crowded").await?;
    let waiting = (0..waiters).map(|_| async {
        let wait = locker.lock("crowded").wait(Duration::from_secs(60));
        wait.acquire().await?.release().await
    });
    let (outcomes, during) = futures::future::join(join_all(waiting), async {
        while locker.inspect("crowded").await?.waiters.len() < waiters {}
        let during = measure::info(&url, "clients", "connected_clients").await?;
        held.release().await?;
        Outcome::Ok(during)
    })
    .await;
    outcomes.into_iter().collect::<leasehold::Result<Vec<_>>>()?;
    report.judged(
        format!("grants/connections of a process while {waiters} wait"),
        (during? - before) as f64,
        "connections",
        Target::AtMost(FEW),
    );
    Ok(())
}
