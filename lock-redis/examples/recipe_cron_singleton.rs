//! Recipe: a job that every pod starts at the same hour, and one of them does.
//!
//! What is wrong in the usual recipe: "take the lock or skip, with a long ttl, and release it at the end". The job
//! takes a second; a pod whose clock is two seconds late finds the lock free, and does it again. The ttl does not help:
//! it was released.
//!
//! Two things do. The key names the *period*, not only the job, so that late and early pods speak of the same run. And the
//! minimum hold keeps the key taken after the job is done (or its pod has died), for longer than clocks differ.
//! Whoever comes later than that needs a record of what was done: a lock only remembers for as long as it is held.
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_cron_singleton
//! ```

mod common;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use common::{Place, Problem, ensure, work};
use leasehold::{Locker, with_lock};
use tokio::task::JoinSet;

const PODS: u32 = 3;
const PERIODS: [&str; 2] = ["2030-01-01T03", "2030-01-01T04"];

fn main() -> ExitCode {
    common::run(recipe)
}

#[derive(Clone)]
struct Pod {
    locker: Locker,
    runs: Arc<AtomicU32>,
}

impl Pod {
    /// `min_hold` is what counts: no two clocks of the cluster are 20 s apart.
    #[with_lock(
        locker = self.locker,
        key = "cron:report:{period}",
        ttl = "30s",
        min_hold = "20s",
        keep_alive,
        on_contention = skip,
    )]
    async fn report(&self, period: &str) -> leasehold::Result<Option<u32>> {
        work(&self.locker, 5).await;
        Ok(Some(self.runs.fetch_add(1, Ordering::SeqCst)))
    }

    /// The usual recipe, to compare with.
    #[with_lock(
        locker = self.locker,
        key = "cron:released:{period}",
        ttl = "30s",
        on_contention = skip,
    )]
    async fn report_and_release(&self, period: &str) -> leasehold::Result<Option<()>> {
        work(&self.locker, 5).await;
        Ok(Some(()))
    }
}

async fn recipe(place: &Place) -> Result<String, Problem> {
    let runs = Arc::new(AtomicU32::new(0));
    let mut pods = Vec::new();
    for number in 0..PODS {
        let locker = place.locker(&format!("pod-{number}")).await?;
        pods.push(Pod { locker, runs: Arc::clone(&runs) });
    }

    for period in PERIODS {
        let mut started = JoinSet::new();
        for pod in &pods {
            let pod = pod.clone();
            started.spawn(async move { pod.report(period).await });
        }
        while let Some(run) = started.join_next().await {
            run??;
        }
        // And one whose clock is behind: the others are done.
        let late = pods[0].report(period).await?;
        ensure(late.is_none(), format_args!("the late pod did {period} again"))?;
    }

    let mut usual = 0;
    for pod in &pods {
        usual += u32::from(pod.report_and_release(PERIODS[0]).await?.is_some());
    }
    ensure(usual == PODS, format_args!("released at the end, it ran {usual} times"))?;

    let runs = runs.load(Ordering::SeqCst);
    ensure(
        runs as usize == PERIODS.len(),
        format_args!("{runs} runs in {} periods", PERIODS.len()),
    )?;
    Ok(format!("{runs} periods, one run each; without a minimum hold {usual} runs in one period"))
}
