//! Seeing one leader follow another.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    StreamExt as _,
    stream::{self, BoxStream, Stream},
};

use super::{Election, Leader};
use crate::{Error, LockBackend, Result};

/// How often an observer looks unless told otherwise.
const EVERY: Duration = Duration::from_secs(1);

impl<B: LockBackend + ?Sized> Election<B> {
    /// The leader now, and from then on each change of it: `None` when nobody leads. It looks once a second; of
    /// changes that follow each other faster only the last is seen.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> leasehold::Result<()> {
    /// # let (backend, clock) = leasehold_memory::MemoryBackend::manual(1);
    /// # let locker = leasehold::Locker::new(backend);
    /// let election = locker.election("scheduler").label("node-1");
    /// let mut changes = election.observe();
    /// assert_eq!(changes.next().await?, None);
    ///
    /// let leadership = election.campaign().await?;
    /// # tokio::spawn(async move { clock.advance(std::time::Duration::from_secs(1)).await });
    /// let leader = changes.next().await?.expect("somebody leads");
    /// assert_eq!(leader.term, leadership.term());
    /// # Ok(()) }
    /// ```
    pub fn observe(&self) -> LeaderChanges {
        self.changes(EVERY)
    }

    /// As [`observe`](Self::observe), looking this often; at least 1 ms.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) below 1 ms.
    pub fn observe_every(&self, interval: Duration) -> Result<LeaderChanges> {
        if interval < Duration::from_millis(1) {
            let value = format!("{interval:?}");
            return Err(Error::invalid("interval", value, "at least 1ms"));
        }
        Ok(self.changes(interval))
    }

    fn changes(&self, interval: Duration) -> LeaderChanges {
        let watch = Watch { election: self.clone(), interval, looked: false, seen: None };
        LeaderChanges(
            stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) })
                .boxed(),
        )
    }
}

struct Watch<B: LockBackend + ?Sized> {
    election: Election<B>,
    interval: Duration,
    looked: bool,
    /// The term that was told last; `Some(None)` is nobody.
    seen: Option<Option<crate::FencingToken>>,
}

impl<B: LockBackend + ?Sized> Watch<B> {
    async fn next(&mut self) -> Result<Option<Leader>> {
        loop {
            if std::mem::replace(&mut self.looked, true) {
                self.election.locker.runtime().sleep(self.interval).await;
            }
            let leader = self.election.leader().await?;
            let term = leader.as_ref().map(|leader| leader.term);
            if self.seen.replace(term) != Some(term) {
                return Ok(leader);
            }
        }
    }
}

/// The changes of a leader, made by [`Election::observe`]: a stream without end. An error does not end it either: it goes
/// on to look.
#[must_use = "streams do nothing unless polled"]
pub struct LeaderChanges(BoxStream<'static, Result<Option<Leader>>>);

impl LeaderChanges {
    /// Waits for the next change.
    ///
    /// # Errors
    /// As [`Election::leader`].
    ///
    /// # Cancellation safety
    /// No change is missed that would have been seen.
    pub async fn next(&mut self) -> Result<Option<Leader>> {
        match self.0.next().await {
            Some(change) => change,
            None => std::future::pending().await,
        }
    }
}

impl Stream for LeaderChanges {
    type Item = Result<Option<Leader>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for LeaderChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderChanges").finish_non_exhaustive()
    }
}
