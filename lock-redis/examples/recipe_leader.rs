//! Recipe: one leader at a time, which survives losing.
//!
//! What is wrong in the usual recipe: "take the lock, then loop `while running`". Whoever does not get the lock gives up
//! after its wait and never tries again, so nobody takes over; the leader never looks whether it still leads, and works
//! on after its lease is gone; and at shutdown the lock is freed under a loop that still runs. A variant asks "am I the
//! owner?" before each piece of work, and then works on an answer that may be old.
//!
//! Here losers wait for as long as it takes, a leader's loop is dropped at the moment its lease is lost, and whoever lost
//! campaigns again. The term is the fencing token: what the leader changes refuses an older term, for the leader that
//! was paused just before it looked.
//!
//! `locker.election("scheduler").run(..)` is this loop ready-made; here it stands written out, to be seen.
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_leader
//! ```

mod common;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Place, Problem, ensure, locked, work};
use leasehold::{ErrorKind, FencingToken, Locker};
use tokio::{sync::watch, task::JoinSet};

const CANDIDATES: u32 = 3;
const TERMS: usize = 4;

fn main() -> ExitCode {
    common::run(recipe)
}

/// What the leader writes to: it takes nothing from an older term.
#[derive(Default)]
struct Log {
    steps: Mutex<Vec<FencingToken>>,
    length: watch::Sender<usize>,
}

impl Log {
    fn append(&self, term: FencingToken) -> bool {
        let mut steps = locked(&self.steps);
        if steps.last().is_some_and(|&newest| newest > term) {
            return false;
        }
        steps.push(term);
        self.length.send_replace(steps.len());
        true
    }

    fn terms(&self) -> Vec<FencingToken> {
        let mut terms = locked(&self.steps).clone();
        terms.dedup();
        terms
    }
}

/// Campaigns, leads, and campaigns again when the lead is lost, until it is told to stop. How often it lost.
async fn candidate(
    locker: Locker,
    log: Arc<Log>,
    stop: watch::Receiver<bool>,
) -> leasehold::Result<u32> {
    let mut lost = 0;
    while !*stop.borrow() {
        let campaign = locker.lock("leader:scheduler").keep_alive().wait_forever();
        let lead = campaign.with(async |lease| {
            while !*stop.borrow() && log.append(lease.token()) {
                work(&locker, 1).await;
            }
        });
        match lead.await {
            Ok(()) if *stop.borrow() => {}
            // A newer leader has been here, before this one heard that it had lost.
            Ok(()) => lost += 1,
            Err(error) if error.is_lease_lost() => lost += 1,
            Err(error) if error.kind() == ErrorKind::Closed => break,
            Err(error) if error.is_retryable() => work(&locker, 100).await,
            Err(error) => return Err(error),
        }
    }
    Ok(lost)
}

async fn recipe(place: &Place) -> Result<String, Problem> {
    let log = Arc::<Log>::default();
    let mut candidates = JoinSet::new();
    let mut lockers = Vec::new();
    let (stop, stopped) = watch::channel(false);
    for number in 0..CANDIDATES {
        let locker = place.locker(&format!("candidate-{number}")).await?;
        lockers.push(locker.clone());
        candidates.spawn(candidate(locker, Arc::clone(&log), stopped.clone()));
    }

    // Whoever leads is deposed, again and again; each time somebody else's term must begin.
    let admin = place.locker("admin").await?;
    let mut length = log.length.subscribe();
    for term in 1..=TERMS {
        length.wait_for(|_| log.terms().len() >= term).await?;
        if term < TERMS {
            admin.revoke("leader:scheduler").await?;
        }
    }
    // The loop first, then the lock: a shutdown ends those who wait, and waits for those who work.
    stop.send_replace(true);
    for locker in &lockers {
        let ended = locker.shutdown(Duration::from_secs(5)).await;
        ensure(ended.is_clean(), format_args!("not clean: {ended:?}"))?;
    }
    let mut lost = 0;
    while let Some(ended) = candidates.join_next().await {
        lost += ended??;
    }

    let terms = log.terms();
    let steps = locked(&log.steps).len();
    ensure(terms.is_sorted(), format_args!("an old term came back: {terms:?}"))?;
    ensure(terms.len() >= TERMS, format_args!("{} terms", terms.len()))?;
    ensure(lost as usize >= TERMS - 1, format_args!("{lost} losses were noticed"))?;
    Ok(format!("{} terms, {steps} steps in their order, {lost} losses survived", terms.len()))
}
