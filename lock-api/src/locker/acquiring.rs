//! Sends an acquisition, and takes it back if nobody wants it any more.

use std::sync::Arc;

use futures::future::{Either, select};
use tracing::Instrument as _;

use super::{Guard, core::Core, request::Checked};
use crate::{
    Acquire, Effect, Error, ErrorKind, Grant, Held, LockBackend, LockKey, Result, TryAcquire,
    backend::poll_acquire_with,
    lease::{End, Terms, record::Record},
    observe::{Attempt, Outcome},
};

/// The guard, or who was in the way of which key.
type Attempted<B> = std::result::Result<Guard<B>, (LockKey, Held)>;

impl<B: LockBackend + ?Sized> Checked<B> {
    pub(super) async fn acquire(self) -> Result<Guard<B>> {
        let waits = self.deadline > self.started;
        self.attempt(waits).await?.map_err(timed_out)
    }

    pub(super) async fn try_acquire(self) -> Result<Option<Guard<B>>> {
        Ok(self.attempt(false).await?.ok())
    }

    /// Waits in the queue, or tries once; seen from outside as one attempt.
    async fn attempt(self, waits: bool) -> Result<Attempted<B>> {
        let core = Arc::clone(&self.core);
        let key = self.request.key().clone();
        let attempt = Attempt::begin(core.runtime(), &key, self.started, waits);
        let span = attempt.span();
        let attempted = if waits {
            self.wait().instrument(span).await
        } else {
            self.try_once().instrument(span).await
        };
        attempt.end(&match &attempted {
            Ok(Ok(guard)) => Outcome::Granted(guard.token()),
            Ok(Err((_, held))) => Outcome::Held(held),
            Err(error) => Outcome::Failed(error),
        });
        attempted
    }

    async fn wait(self) -> Result<Attempted<B>> {
        let Self { core, request, terms, started, deadline, backoff } = self;
        let pending = Pending::new(Arc::clone(&core), request.keys(), request.id(), terms)?;
        let acquiring = async {
            match &backoff {
                Some(policy) => poll_acquire_with(core.backend(), &request, deadline, policy).await,
                None => core.backend().acquire(&request, deadline).await,
            }
        };
        let timeout = deadline.since(started) + core.config().op_timeout_for(terms.ttl);
        match pending.send("acquire", timeout, acquiring).await? {
            (pending, Acquire::Granted(grant)) => pending.granted(&grant).map(Ok),
            (pending, Acquire::TimedOut(held)) => Ok(Err((pending.settled(), held))),
        }
    }

    async fn try_once(self) -> Result<Attempted<B>> {
        let Self { core, request, terms, .. } = self;
        let pending = Pending::new(Arc::clone(&core), request.keys(), request.id(), terms)?;
        let trying = core.backend().try_acquire(&request);
        let timeout = core.config().op_timeout_for(terms.ttl);
        match pending.send("acquire", timeout, trying).await? {
            (pending, TryAcquire::Granted(grant)) => pending.granted(&grant).map(Ok),
            (pending, TryAcquire::Held(held)) => Ok(Err((pending.settled(), held))),
        }
    }
}

fn timed_out((key, held): (LockKey, Held)) -> Error {
    Error::new(ErrorKind::Timeout, Effect::None, "the key stayed held for all of the wait")
        .with_operation("acquire")
        .with_key(&key)
        .with_held(held)
}

/// An acquisition on its way. Dropped unsettled, it gives the id up in the background.
struct Pending<B: LockBackend + ?Sized> {
    core: Arc<Core<B>>,
    record: Arc<Record>,
    number: u64,
    unsettled: bool,
}

impl<B: LockBackend + ?Sized> Pending<B> {
    /// Registers the lease before anything is sent.
    fn new(core: Arc<Core<B>>, keys: &[LockKey], id: crate::LeaseId, terms: Terms) -> Result<Self> {
        if core.closing.is_cancelled() {
            return Err(closed(&keys[0]));
        }
        core.start();
        let record = Arc::new(Record::new(keys.to_vec(), id, terms));
        let number = core.keeper.register(Arc::clone(&record));
        Ok(Self { core, record, number, unsettled: false })
    }

    /// Sends, within `timeout` and until the locker is shut down. What may have taken effect without an
    /// answer is given up when `self` is dropped.
    async fn send<T>(
        mut self,
        operation: &'static str,
        timeout: std::time::Duration,
        sending: impl Future<Output = Result<T>> + Send,
    ) -> Result<(Self, T)> {
        self.unsettled = true;
        let core = Arc::clone(&self.core);
        let answer = core.within(timeout, operation, sending);
        let closing = core.closing.cancelled();
        let answer = match select(std::pin::pin!(answer), std::pin::pin!(closing)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => return Err(closed(self.key())),
        };
        match answer {
            Ok(answer) => Ok((self, answer)),
            Err(error) => {
                self.unsettled = error.effect() == Effect::Unknown;
                Err(error.or_key(self.key()))
            }
        }
    }

    fn key(&self) -> &LockKey {
        &self.record.keys()[0]
    }

    /// Certainly nothing is held and nothing waits.
    fn settled(mut self) -> LockKey {
        self.unsettled = false;
        self.key().clone()
    }

    fn granted(mut self, grant: &Grant) -> Result<Guard<B>> {
        self.check_token(grant)?;
        self.check_validity(grant)?;
        let early = self.core.runtime().entropy().unit() * 0.2;
        self.record.granted(grant, early);
        self.core.keeper.reschedule(self.number);
        self.unsettled = false;
        Ok(Guard::new(Arc::clone(&self.core), Arc::clone(&self.record), self.number))
    }

    /// A token that goes back proves that the server lost data: the lease is worth nothing.
    fn check_token(&self, grant: &Grant) -> Result<()> {
        let now = self.core.runtime().now();
        for key in self.record.keys() {
            if let Err(greater) = self.core.seen.note(key, grant, now) {
                let message = format!(
                    "fencing token went back from {greater} to {}: the server lost data",
                    grant.token
                );
                let error = Error::new(ErrorKind::FenceRegressed, Effect::None, message);
                return Err(error.with_operation("acquire").with_key(key));
            }
        }
        Ok(())
    }

    /// A grant that was so long on its way that nothing of it is left is no grant.
    fn check_validity(&self, grant: &Grant) -> Result<()> {
        let terms = self.record.terms();
        if self.core.runtime().now() < terms.drift.valid_until(grant.since, grant.ttl) {
            return Ok(());
        }
        let message = "the grant took longer to arrive than it was valid for";
        let error = Error::new(ErrorKind::Unavailable, Effect::None, message);
        Err(error.with_operation("acquire").with_key(self.key()))
    }
}

impl<B: LockBackend + ?Sized> Drop for Pending<B> {
    fn drop(&mut self) {
        if self.record.token().is_some() {
            return;
        }
        self.core.keeper.forget(self.number);
        self.record.end(End::Released, self.core.runtime().now());
        if self.unsettled {
            self.core.give_up(self.record.keys(), self.record.id());
        }
    }
}

fn closed(key: &LockKey) -> Error {
    Error::new(ErrorKind::Closed, Effect::None, "the locker was shut down").with_key(key)
}
