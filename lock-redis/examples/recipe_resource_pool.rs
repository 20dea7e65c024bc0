//! Recipe: a pool of which at most three are in use.
//!
//! What is wrong in the usual recipe: "INCR a counter, compare, DECR at the end". A process that dies never counts
//! down, and its place is lost for ever; one DECR too many lets in more than there are; and a caller who was counted
//! only to be refused makes the next one be refused too. Here every place is a lease of its own: it ends by itself if its
//! process dies, only its own id can give it back, and whoever is not let in was never counted.
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_resource_pool
//! ```

mod common;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{Place, Problem, ensure, work};
use leasehold::{Guard, Locker, Result, Semaphore};
use tokio::task::JoinSet;

const PLACES: u32 = 3;
const TASKS: usize = 12;

fn main() -> ExitCode {
    common::run(recipe)
}

/// All who use the pool must say the same limit: a second one is refused, not guessed about.
fn pool(locker: &Locker) -> Semaphore {
    locker.semaphore("pool:gpu", PLACES)
}

/// Waits for a place.
async fn place_in_pool(locker: &Locker, ttl: Duration) -> Result<Guard> {
    pool(locker).permits(1).ttl(ttl).wait(Duration::from_secs(30)).await
}

async fn recipe(place: &Place) -> std::result::Result<String, Problem> {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let locker = place.locker(&format!("task-{number}")).await?;
        let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
        tasks.spawn(async move {
            let guard = place_in_pool(&locker, Duration::from_secs(30)).await?;
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            work(&locker, 10).await;
            inside.fetch_sub(1, Ordering::SeqCst);
            guard.release().await
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let most = most.load(Ordering::SeqCst);
    ensure(most <= PLACES as usize, format_args!("{most} at once in {PLACES} places"))?;

    // A process dies with all the places: nobody gives them back, and after their ttl they are free all the same.
    let dying = place.locker("dying").await?;
    for _ in 0..PLACES {
        std::mem::forget(place_in_pool(&dying, Duration::from_millis(300)).await?);
    }
    let next = place.locker("next").await?;
    let mut held = Vec::new();
    for _ in 0..PLACES {
        held.push(place_in_pool(&next, Duration::from_secs(30)).await?);
    }
    let one_more = pool(&next).try_acquire().await?;
    ensure(one_more.is_none(), format_args!("a place more than {PLACES}"))?;
    Ok(format!(
        "{TASKS} tasks, at most {most} at once; {} places came back from the dead",
        held.len()
    ))
}
