//! Waiting in a key's queue.

mod anchor;
mod push;
mod subscription;
mod waiters;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::future::{Either, select};
use leasehold::{
    Acquire, AcquireRequest, DriftAllowance, Effect, Error, ErrorKind, Extension, Grant, Held,
    HeldReason, LeaseId, LockKey, Result, Timestamp, Ttl, observe,
};

#[cfg(feature = "__fuzzing")]
pub(crate) use push::Push;

use anchor::Anchor;
use push::Granted;
use subscription::{Listener, Subscription};
use waiters::{Mailbox, Waiters, Woken};

use crate::{
    cleanup::Cleanup,
    connect::Target,
    core::{Answered, Core, How, Ticket},
    reply::Acquired,
};

/// How much later than the one ahead of it a waiter looks when a lease is to run out.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// How soon it tries again after a call that failed.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Everything that waiting needs beside the calls themselves. One per backend.
pub(crate) struct Queue {
    pub(crate) core: Arc<Core>,
    pub(crate) cleanup: Cleanup,
    waiters: Arc<Waiters>,
    pub(crate) target: Target,
    channel: String,
    ticket_ttl: Duration,
    subscription: OnceLock<Subscription>,
}

impl Queue {
    pub(crate) fn new(core: Arc<Core>, target: Target, ticket_ttl: Duration) -> Self {
        let process = core.runtime.lease_id().expose_hex();
        Self {
            cleanup: Cleanup::start(Arc::clone(&core)),
            waiters: Arc::default(),
            channel: core.names.process(&process),
            target,
            ticket_ttl,
            subscription: OnceLock::new(),
            core,
        }
    }

    /// The subscription, which the first who needs it starts.
    pub(crate) fn subscription(&self) -> &Subscription {
        self.subscription.get_or_init(|| {
            Subscription::start(Listener {
                target: self.target.clone(),
                names: self.core.names.clone(),
                channel: self.channel.clone(),
                waiters: Arc::clone(&self.waiters),
                core: Arc::clone(&self.core),
                cleanup: self.cleanup.clone(),
                runtime: self.core.runtime.clone(),
                heartbeat: self.ticket_ttl,
            })
        })
    }

    /// Waits for a single key, as [`LockBackend::acquire`](leasehold::LockBackend::acquire) says.
    pub(crate) async fn acquire(
        &self,
        request: &AcquireRequest,
        deadline: Timestamp,
    ) -> Result<Acquire> {
        let mut place = Place::take(self, request, deadline);
        match place.try_until_listening().await? {
            Some(grant) => Ok(place.granted(grant)),
            None => place.wait().await,
        }
    }

    fn is_listening(&self) -> bool {
        self.subscription.get().is_some_and(Subscription::is_confirmed)
    }
}

enum Step {
    Granted(Grant),
    NotYet,
}

/// A place in the queue, or on the way there. Dropped before its end, it is given up.
struct Place<'a> {
    queue: &'a Queue,
    request: &'a AcquireRequest,
    deadline: Timestamp,
    mailbox: Arc<Mailbox>,
    anchor: Option<Anchor>,
    held: Held,
    next_look: Timestamp,
    /// Whether something of it may be on the server.
    sent: bool,
    /// Whether the server has taken it in.
    known: bool,
}

impl<'a> Place<'a> {
    fn take(queue: &'a Queue, request: &'a AcquireRequest, deadline: Timestamp) -> Self {
        Self {
            mailbox: queue.waiters.enter(request.id()),
            queue,
            request,
            deadline,
            anchor: None,
            held: Held::because(HeldReason::Lease),
            next_look: Timestamp::ORIGIN,
            sent: false,
            known: false,
        }
    }

    /// Whoever stood in the queue before its process listens could be passed over: until then it only tries, as often as it
    /// would look. Where listening is not allowed, that is how it is granted.
    async fn try_until_listening(&mut self) -> Result<Option<Grant>> {
        while !self.queue.is_listening() || (self.is_late() && !self.known) {
            match self.call(None).await {
                Ok(Step::Granted(grant)) => return Ok(Some(grant)),
                Ok(Step::NotYet) => {}
                Err(error) => self.outlive(error)?,
            }
            if !self.is_late() {
                let until = self.next_look.min(self.deadline);
                let listening = std::pin::pin!(self.queue.subscription().confirmed());
                select(listening, self.queue.core.runtime.sleep_until(until)).await;
            }
            if self.is_late() {
                break;
            }
        }
        Ok(None)
    }

    /// A wait that the server has taken note of outlives its being away for a moment.
    fn outlive(&mut self, error: Error) -> Result<()> {
        if !self.known || !error.is_retryable() {
            return Err(error);
        }
        tracing::debug!(%error, "a waiter could not ask again");
        self.next_look = self.queue.core.runtime.now() + AFTER_FAILURE;
        Ok(())
    }

    async fn wait(mut self) -> Result<Acquire> {
        loop {
            if self.is_late() {
                return self.leave().await;
            }
            let ticket = self.ticket();
            match self.call(Some(&ticket)).await {
                Ok(Step::Granted(grant)) => return Ok(self.granted(grant)),
                Ok(Step::NotYet) => {}
                Err(error) => self.outlive(error)?,
            }
            if let Some(granted) = self.sleep().await
                && let Some(grant) = self.confirm(granted).await
            {
                return Ok(self.granted(grant));
            }
        }
    }

    fn is_late(&self) -> bool {
        self.queue.core.runtime.now() >= self.deadline
    }

    /// A ticket never outlasts the deadline: after it nothing is granted.
    fn ticket(&self) -> Ticket<'a> {
        let left = self.deadline.since(self.queue.core.runtime.now());
        Ticket { ttl: self.queue.ticket_ttl.min(left), channel: &self.queue.channel }
    }

    /// Asks once, and takes note of the answer.
    async fn call(&mut self, ticket: Option<&Ticket<'_>>) -> Result<Step> {
        self.sent = true;
        let called = self.queue.core.acquire(self.request, ticket).await;
        if let Err(error) = &called {
            let nothing = error.effect() == Effect::None && !self.known;
            // The id is somebody else's affair: giving it up would be, too.
            self.sent = !nothing && error.kind() != ErrorKind::IdReused;
        }
        let Answered { sent, mark, answer } = called?;
        self.known = true;
        let runtime = &self.queue.core.runtime;
        match answer {
            Acquired::Granted { token, ttl, .. } => {
                return Ok(Step::Granted(Grant { token, ttl, since: sent }));
            }
            Acquired::Waiting { now, ahead, held } => {
                if self.anchor.is_none() {
                    observe::backend::queued(usize::try_from(ahead).unwrap_or(usize::MAX));
                }
                let wait = self.until_next_look(&held, ahead);
                self.anchor = Some(Anchor { sent, server: now, mark });
                self.next_look = runtime.now() + wait;
                self.held = held;
            }
            // In quarantine nobody stands in the queue: its end is when to ask again.
            Acquired::Held { held, .. } => {
                let wait = self.until_next_look(&held, 0);
                self.next_look = runtime.now() + wait;
                self.held = held;
            }
            // The call has learnt the new one and asked again.
            Acquired::AnotherEpoch => {}
        }
        Ok(Step::NotYet)
    }

    /// A third of a ticket at the most, with jitter; sooner if a lease is known to run out.
    fn until_next_look(&self, held: &Held, ahead: u64) -> Duration {
        let third = self.queue.ticket_ttl / 3;
        let jitter = self.queue.core.runtime.entropy().unit() * 0.2;
        let patient = third.mul_f64(0.9 + jitter);
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        let ends =
            held.retry_after.map(|end| end.saturating_add(BETWEEN_LOOKS.saturating_mul(ahead)));
        ends.map_or(patient, |end| end.min(patient))
    }

    /// Until a push, the next look or the deadline.
    async fn sleep(&self) -> Option<Granted> {
        let until = self.next_look.min(self.deadline);
        let pushed = std::pin::pin!(self.mailbox.next());
        match select(pushed, self.queue.core.runtime.sleep_until(until)).await {
            Either::Left((Woken::Granted(granted), _)) => Some(granted),
            Either::Left((Woken::Look, _)) | Either::Right(_) => None,
        }
    }

    /// What a push granted, counted from when it certainly was. If most of it is over, it is extended first.
    async fn confirm(&mut self, granted: Granted) -> Option<Grant> {
        let core = &self.queue.core;
        let receipt = core.runtime.now();
        let since = self.anchor.as_ref().map(|anchor| anchor.since(&granted, receipt));
        let Granted { token, ttl, .. } = granted;
        if let Some(since) = since {
            let end = DriftAllowance::default().valid_until(since, ttl);
            observe::backend::handed_over(receipt.since(since));
            if end.since(receipt) >= ttl.get() / 2 {
                return Some(Grant { token, ttl, since });
            }
        }
        let extended = core.extend(self.request.key(), self.request.id(), ttl).await;
        match extended {
            Ok(Extension::Extended) => Some(Grant { token, ttl, since: receipt }),
            // Lost, or not known: the next look tells, and stands in the queue again.
            Ok(Extension::Lost) | Err(_) => None,
        }
    }

    fn granted(mut self, grant: Grant) -> Acquire {
        self.sent = false;
        let now = self.queue.core.runtime.now();
        self.queue.waiters.leave_granted(self.request.id(), now);
        Acquire::Granted(grant)
    }

    /// The deadline has come: neither waits nor holds after this.
    async fn leave(mut self) -> Result<Acquire> {
        let (key, id) = (self.request.key(), self.request.id());
        match self.queue.core.release(key, id, How::Leave).await {
            Ok(_) => {
                self.sent = false;
                Ok(Acquire::TimedOut(self.held.clone()))
            }
            Err(error) => {
                let message =
                    "the deadline came, and the server does not answer: it may still be granted";
                Err(Error::new(ErrorKind::Unavailable, Effect::Unknown, message).with_source(error))
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let (key, id): (&LockKey, LeaseId) = (self.request.key(), self.request.id());
        self.queue.waiters.leave(id);
        if self.sent {
            self.queue.cleanup.leave(key.clone(), id);
        }
    }
}

/// How long a lease or a place that nobody gives up can stay.
pub(crate) fn orphan_bound(ticket_ttl: Duration, longest: Ttl, tombstone: Duration) -> Duration {
    (ticket_ttl + longest.get()).max(tombstone)
}
