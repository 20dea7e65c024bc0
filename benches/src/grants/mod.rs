//! From a release to the next grant, with waiters in the queue; and how many connections those who wait take.

mod baton;
mod connections;
mod design;

use std::sync::Arc;

use self::design::{Direct, Notified};
pub(crate) use self::{baton::Baton, design::Turns};
use crate::{
    Outcome,
    effort::Effort,
    measure, peers,
    report::{Report, Target},
    server::Server,
};

const WAITERS: [usize; 3] = [2, 8, 64];

/// The samples of one design, in ns.
type Samples = Vec<u64>;

pub(crate) async fn bench(report: &mut Report, effort: Effort) -> Outcome<()> {
    connections::bench(report, effort).await?;
    for waiters in WAITERS {
        latencies(report, waiters, effort).await?;
    }
    Ok(())
}

async fn latencies(report: &mut Report, waiters: usize, effort: Effort) -> Outcome<()> {
    let server = Server::start().await?;
    let url = server.tcp_url().await?;
    // Two of each, so that a grant crosses from one client to another.
    let direct: [Arc<dyn Turns>; 2] =
        [Arc::new(Direct::connect(&url).await?), Arc::new(Direct::connect(&url).await?)];
    let notified: [Arc<dyn Turns>; 2] =
        [Arc::new(Notified::connect(&url).await?), Arc::new(Notified::connect(&url).await?)];
    let polling = peers::waiting_rslock(&url);
    let turns = effort.pick(60, 4).max(waiters as u64);
    let (mut ours, mut theirs, mut rslock) = (Samples::new(), Samples::new(), Samples::new());
    for _ in 0..effort.rounds().min(5) {
        ours.extend(Baton::round(&direct, waiters, turns).await?);
        theirs.extend(Baton::round(&notified, waiters, turns).await?);
        if let Some(polling) = &polling {
            rslock.extend(Baton::round(polling, waiters, effort.pick(12, 3)).await?);
        }
    }
    let ping = measure::ping_p50(&url, effort.pick(2_000, 100)).await?;
    let row = |what: &str| format!("grants/{waiters} waiters/release to grant, {what}");
    let p50 = measure::percentile(&mut ours, 0.5);
    report.shown(row("p50 over a PING"), p50 / ping, "ratio");
    report.shown(row("p99 over a PING"), measure::percentile(&mut ours, 0.99) / ping, "ratio");
    let ratio = measure::percentile(&mut theirs, 0.5) / p50;
    report.judged(row("times as fast as pub/sub"), ratio, "times", Target::AtLeast(1.3));
    let name = row("times as fast as rslock's default");
    if rslock.is_empty() {
        report.absent_judged(name, Target::AtLeast(100.0), "feature `peers`");
    } else {
        let ratio = measure::percentile(&mut rslock, 0.5) / p50;
        report.judged(name, ratio, "times", Target::AtLeast(100.0));
    }
    let name = row("times as fast as Go rueidislock");
    report.absent_judged(name, Target::AtLeast(2.0), "needs Go, and no program is written for it");
    Ok(())
}
