//! A process full of waiters.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;

use super::{SECONDS, Seen, Turn, design::Design};
use crate::{Outcome, measure};

/// How long before the start all processes measure their round trips.
const SETTLE_NS: u64 = 300_000_000;

/// Waits for the common start, takes turns for the common time, and prints them.
pub(crate) fn work(arguments: &[String]) -> Outcome<()> {
    let [url, design, waiters, start] = arguments else {
        return Err("a worker takes a url, a design, a number of waiters and a start".into());
    };
    let (waiters, start): (usize, u64) = (waiters.parse()?, start.parse()?);
    let seen = measure::runtime()?.block_on(async {
        let design = Arc::new(Design::new(design, url).await?);
        let end = start + SECONDS * 1_000_000_000;
        let pings = measure::pings_until(url, start - SETTLE_NS..start).await?;
        let waiters = (0..waiters).map(|_| take_turns(Arc::clone(&design), end));
        let turns: Outcome<Vec<_>> = join_all(waiters).await.into_iter().collect();
        Outcome::Ok(Seen { pings, turns: turns? })
    })?;
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

/// Asks again as soon as it has released; its last turn may be cut off by the end.
async fn take_turns(design: Arc<Design>, end: u64) -> Outcome<Vec<Turn>> {
    let mut turns = Vec::new();
    loop {
        let asked = measure::now_ns();
        let left = Duration::from_nanos(end.saturating_sub(asked));
        let Ok(held) = tokio::time::timeout(left, design.acquire()).await else {
            return Ok(turns);
        };
        let held = held?;
        let granted = measure::now_ns();
        turns.push(Turn { asked, granted, released: granted });
        design.release(held).await?;
        if measure::now_ns() >= end {
            return Ok(turns);
        }
    }
}
