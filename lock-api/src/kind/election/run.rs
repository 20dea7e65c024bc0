//! Leading again and again.

use std::time::Duration;

use super::Election;
use crate::{Backoff, Lease, LockBackend, Result};

impl<B: LockBackend + ?Sized> Election<B> {
    /// Campaigns, runs `body` while this candidate leads, and returns what the body returned, after resigning. If the
    /// leadership is lost, the body is dropped at its next await and the campaign begins anew; so it does, after a
    /// pause, when the backend fails in a way that passes. The token of the body's lease is the term.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let locker = leasehold::Locker::new(leasehold_memory::MemoryBackend::new());
    /// let election = locker.election("scheduler").label("node-1");
    /// let jobs = election
    ///     .run(async |lease| {
    ///         // Begins again from here, under a greater term, whenever this candidate leads again.
    ///         run_jobs(lease.token().get()).await
    ///     })
    ///     .await?;
    /// assert_eq!(jobs, 3);
    /// # async fn run_jobs(_term: u64) -> u32 { 3 }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`campaign`](Self::campaign) that another try can't mend: a bad argument, missing permissions, a
    /// shutdown.
    ///
    /// # Cancellation safety
    /// The body is dropped and the leadership resigned in the background.
    pub async fn run<T, F, Fut>(&self, mut body: F) -> Result<T>
    where
        F: FnMut(Lease<B>) -> Fut,
        Fut: Future<Output = T>,
    {
        let runtime = self.locker.runtime();
        let pauses = Backoff::new(Duration::from_millis(100), Duration::from_secs(5))?;
        let mut delays = pauses.delays(runtime.entropy());
        loop {
            match self.candidacy().with(&mut body).await {
                Err(error) if error.is_lease_lost() => {
                    tracing::info!(%error, "no longer the leader, campaigning again");
                    delays = pauses.delays(runtime.entropy());
                }
                Err(error) if error.is_retryable() => {
                    tracing::warn!(%error, "campaign failed, trying again");
                    runtime.sleep(delays.next().unwrap_or(Duration::from_secs(5))).await;
                }
                ended => return ended,
            }
        }
    }
}
