//! Recipe: workers that claim jobs, each of which is done once.
//!
//! What is wrong in the usual recipe: "peek at the open jobs, try to lock one, run it". Between the peek and the lock
//! another worker may have locked the job, done it and released it: the lock is free, and the job runs again. So
//! look *again* once the lock is held, and mark the job as done before it is released. What was seen without the lock
//! only says where to try.
//!
//! Even so it is not "at most once": a worker that dies after the work and before the mark leaves a job that runs again.
//! Jobs must bear that, or show the token to what they change.
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_job_claim
//! ```

mod common;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use common::{Place, Problem, ensure, locked, work};
use leasehold::Locker;
use tokio::task::JoinSet;

const JOBS: u32 = 12;
const WORKERS: u32 = 4;

fn main() -> ExitCode {
    common::run(recipe)
}

/// The table of jobs, which a database would have.
#[derive(Default)]
struct Jobs(Mutex<BTreeMap<u32, Job>>);

#[derive(Clone, Copy, Default)]
struct Job {
    runs: u32,
    done: bool,
}

impl Jobs {
    fn open(&self) -> Vec<u32> {
        locked(&self.0).iter().filter(|(_, job)| !job.done).map(|(&id, _)| id).collect()
    }

    fn is_open(&self, id: u32) -> bool {
        locked(&self.0).get(&id).is_some_and(|job| !job.done)
    }

    fn update(&self, id: u32, change: impl FnOnce(&mut Job)) {
        locked(&self.0).entry(id).and_modify(change);
    }
}

/// What a worker did of what it had seen.
#[derive(Default)]
struct Pass {
    ran: u32,
    /// The lock was free, but the job was done.
    too_late: u32,
}

async fn go_through(locker: &Locker, jobs: &Jobs, seen: &[u32]) -> leasehold::Result<Pass> {
    let mut pass = Pass::default();
    for &id in seen {
        let claim = locker.lock(format!("job:{id}")).keep_alive().fail_fast();
        match claim.with(async |_| do_if_open(locker, jobs, id).await).await {
            Ok(true) => pass.ran += 1,
            Ok(false) => pass.too_late += 1,
            // Somebody else has it, or it was lost on the way, and the job is open again.
            Err(error) if error.is_timeout() || error.is_lease_lost() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(pass)
}

/// Under the lock, what was seen before is looked at again.
async fn do_if_open(locker: &Locker, jobs: &Jobs, id: u32) -> bool {
    if !jobs.is_open(id) {
        return false;
    }
    jobs.update(id, |job| job.runs += 1);
    work(locker, 2).await;
    jobs.update(id, |job| job.done = true);
    true
}

async fn recipe(place: &Place) -> Result<String, Problem> {
    let jobs = Arc::new(Jobs(Mutex::new((0..JOBS).map(|id| (id, Job::default())).collect())));
    let peeked_early = jobs.open();

    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let (locker, jobs) = (place.locker(&format!("worker-{number}")).await?, Arc::clone(&jobs));
        workers.spawn(async move {
            while let open @ [_, ..] = jobs.open().as_slice() {
                if go_through(&locker, &jobs, open).await?.ran == 0 {
                    // All that is open is claimed: look again a little later, not at once.
                    work(&locker, 1).await;
                }
            }
            Ok::<_, leasehold::Error>(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }

    // A worker that peeked when all was open, and comes to its list only now. Every lock is free.
    let late = place.locker("late-worker").await?;
    let too_late = go_through(&late, &jobs, &peeked_early).await?.too_late;
    let runs: Vec<_> = locked(&jobs.0).values().map(|job| job.runs).collect();
    ensure(runs.iter().all(|&runs| runs == 1), format_args!("the jobs ran {runs:?} times"))?;
    ensure(
        too_late == JOBS,
        format_args!("{too_late} of {JOBS} locks were free for the late worker"),
    )?;
    Ok(format!("{JOBS} jobs ran once each; {too_late} would have run again without a second look"))
}
