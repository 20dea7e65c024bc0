//! A key that goes round, and how long each handing over took.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Samples, design::Turns};
use crate::{Outcome, measure};

/// For so long each holder holds: everybody else has come to wait again by then.
const HOLD: Duration = Duration::from_millis(3);

/// Seen by every waiter of a round.
pub(crate) struct Baton {
    key: String,
    /// When the last holder began to release; 0 if nobody has, or somebody was granted since.
    released: AtomicU64,
    samples: Mutex<Samples>,
    left: AtomicU64,
    /// How many waiters there still are.
    waiters: AtomicU64,
}

impl Baton {
    /// So many waiters, half on either client, hand a key on so often.
    pub(super) async fn round(
        clients: &[Arc<dyn Turns>; 2],
        waiters: usize,
        turns: u64,
    ) -> Outcome<Samples> {
        let baton = Arc::new(Self {
            key: format!("baton:{}", measure::now_ns()),
            released: AtomicU64::new(0),
            samples: Mutex::default(),
            left: AtomicU64::new(turns + waiters as u64),
            waiters: AtomicU64::new(waiters as u64),
        });
        let tasks: Vec<_> = (0..waiters)
            .map(|waiter| {
                let (baton, client) = (Arc::clone(&baton), Arc::clone(&clients[waiter % 2]));
                tokio::spawn(async move {
                    while baton.goes_on() {
                        client.turn(&baton).await?;
                        baton.taken_on().await;
                    }
                    baton.waiters.fetch_sub(1, Ordering::Relaxed);
                    Outcome::Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        let samples = std::mem::take(&mut *baton.samples());
        // The last of them had fewer who waited.
        Ok(samples.into_iter().take(usize::try_from(turns)?).collect())
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether one more turn is wanted.
    fn goes_on(&self) -> bool {
        let take = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Called as soon as one is granted; returns when it is to release.
    pub(crate) async fn hold(&self) {
        let granted = measure::now_ns();
        let released = self.released.swap(0, Ordering::Relaxed);
        if released > 0 {
            self.samples().push(granted.saturating_sub(released));
        }
        tokio::time::sleep(HOLD).await;
        self.released.store(measure::now_ns(), Ordering::Relaxed);
    }

    /// Until somebody else was granted: one that asks again at once would have it back from many designs, and the wait
    /// of nobody would be measured.
    async fn taken_on(&self) {
        while self.released.load(Ordering::Relaxed) > 0 && self.waiters.load(Ordering::Relaxed) > 1
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn samples(&self) -> std::sync::MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
