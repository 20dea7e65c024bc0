//! How many commands an acquisition takes, counted by the server.

use std::time::Duration;

use leasehold::Locker;

use super::backend;
use crate::{
    Outcome,
    effort::Effort,
    measure,
    report::{Report, Target},
};

/// One to acquire, none to be granted, one to release.
pub(super) async fn bench(report: &mut Report, url: &str, effort: Effort) -> Outcome<()> {
    let turns = effort.pick(200, 10);
    let locker = Locker::typed(backend(url, 1).await?);
    // Whatever is learnt once is learnt.
    locker.acquire("trips").await?.release().await?;
    let scripts = async || {
        // What clients send and no script calls.
        Outcome::Ok(measure::commands(url, &["evalsha", "eval"]).await?.calls)
    };

    let before = scripts().await?;
    let mut guards = Vec::new();
    for turn in 0..turns {
        guards.push(locker.acquire(format!("trips:{turn}")).await?);
    }
    let acquired = scripts().await?;
    for guard in guards {
        guard.release().await?;
    }
    let released = scripts().await?;
    row(report, "to acquire", acquired - before, turns, 1.0);
    row(report, "to release", released - acquired, turns, 1.0);

    let mut granting = 0;
    for _ in 0..turns {
        let guard = locker.acquire("trips").await?;
        let before = scripts().await?;
        let waiting = locker.lock("trips").wait(Duration::from_secs(10)).acquire();
        let (granted, after) = futures::future::join(waiting, async {
            while scripts().await? == before {}
            let queued = scripts().await?;
            guard.release().await?;
            Outcome::Ok(queued)
        })
        .await;
        let granted = granted?;
        // The release is one; whatever there is beside it was for the grant.
        granting += (scripts().await? - after?).saturating_sub(1);
        granted.release().await?;
    }
    row(report, "to be granted, from the queue", granting, turns, 0.0);
    Ok(())
}

fn row(report: &mut Report, what: &str, commands: u64, turns: u64, target: f64) {
    let figure = commands as f64 / turns as f64;
    let name = format!("acquire/round trips/{what}");
    report.judged(name, figure, "commands", Target::AtMost(target));
}
