//! How late a holder learns of its loss while the server is frozen.

use std::time::Duration;

use leasehold::{Config, Locker};
use leasehold_redis::RedisBackend;

use crate::{
    Outcome, measure,
    report::{Report, Target},
    server::Server,
};

const ROUNDS: usize = 5;
const HOLDERS: usize = 200;
const TTL: Duration = Duration::from_millis(400);

pub(crate) async fn bench(report: &mut Report) -> Outcome<()> {
    let server = Server::start().await?;
    let config = Config::builder().ttl(TTL).op_timeout(Duration::from_millis(300));
    let config = config.keep_alive(true).build()?;
    let mut late = Vec::new();
    let mut early = 0;
    for _ in 0..ROUNDS {
        let backend = RedisBackend::builder(server.url()).without_quarantine().connect().await?;
        let locker = Locker::with_config(backend, config.clone());
        let mut guards = Vec::new();
        for holder in 0..HOLDERS {
            guards.push(locker.acquire(format!("loss:{holder}")).await?);
        }
        // Some renewals have come and gone.
        tokio::time::sleep(TTL).await;
        server.signal("STOP")?;
        let losses = guards.iter().map(|guard| async {
            let deadline = loop {
                let believed = guard.valid_until();
                if believed.as_nanos() == 0 {
                    break None;
                }
                let told = tokio::time::timeout(Duration::from_millis(1), guard.lost()).await;
                if told.is_ok() {
                    break Some(believed);
                }
            };
            (deadline, locker.runtime().now())
        });
        for (deadline, told) in futures::future::join_all(losses).await {
            let Some(deadline) = deadline else { continue };
            early += u64::from(told < deadline);
            late.push(u64::try_from(told.since(deadline).as_nanos())?);
        }
        server.signal("CONT")?;
        drop(guards);
    }
    let p99 = measure::percentile(&mut late, 0.99) / 1e6;
    report.judged("loss/told after the deadline, p99".into(), p99, "ms", Target::AtMost(50.0));
    report.shown(
        "loss/told after the deadline, p50".into(),
        measure::percentile(&mut late, 0.5) / 1e6,
        "ms",
    );
    report.judged(
        "loss/told before the deadline".into(),
        early as f64,
        "holders",
        Target::AtMost(0.0),
    );
    Ok(())
}
