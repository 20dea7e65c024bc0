//! The operations as calls: which script, with which words, on which connection.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use leasehold::{
    AcquireRequest, Downgrade, Effect, Error, ErrorKind, Extension, KeyState, LeaseId, LockKey,
    Mode, Release, Result, RevocationListeners, Revoked, Runtime, Timestamp, Ttl, observe,
};

use crate::{
    connect::{Lanes, Link, ServerClock, Step},
    key::Keyspace,
    reply::{self, Acquired},
    scripts::Op,
    suspects::Suspects,
};

/// What every part of a backend works with.
pub(crate) struct Core {
    pub(crate) lanes: Lanes,
    pub(crate) names: Keyspace,
    pub(crate) suspects: Suspects,
    pub(crate) runtime: Runtime,
    pub(crate) clock: ServerClock,
    /// Who wants to know what ends leases early.
    pub(crate) revocations: RevocationListeners,
    /// The longest ttl that certainly ends within the retention.
    pub(crate) ordinary_ttl: Duration,
    /// The longest ttl that the quarantine covers; none without one.
    pub(crate) max_ttl: Option<Duration>,
    /// How long what nobody gave up can stay: a ticket and a ttl, or a tombstone.
    pub(crate) orphan_bound: Duration,
}

/// How an id is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By its holder.
    Release,
    /// By a waiter that gives up: what it was just granted was never held, so not even a minimum hold stays.
    Leave,
}

/// A ticket: for how long, and the channel on which the waiter's process listens.
pub(crate) struct Ticket<'a> {
    pub(crate) ttl: Duration,
    pub(crate) channel: &'a str,
}

/// What a call was answered, and what it went by.
pub(crate) struct Answered {
    /// A local instant before it was sent.
    pub(crate) sent: Timestamp,
    /// The epoch it was sent in.
    pub(crate) mark: String,
    pub(crate) answer: Acquired,
}

impl Core {
    /// One call of `acquire.lua`: to try, or with a ticket to wait or to go on waiting.
    pub(crate) async fn acquire(
        &self,
        request: &AcquireRequest,
        ticket: Option<&Ticket<'_>>,
    ) -> Result<Answered> {
        self.check_ttl(request.ttl())?;
        let words = Words::new(request, ticket, self);
        let mut link = self.lanes.link(request.key()).await?;
        let watched = self.suspects.watch(request.id());
        let answered = self.acquire_on(&mut link, request, &words).await;
        // Only what may still be on its way is suspect.
        if !matches!(&answered, Err(error) if error.effect() == Effect::Unknown) {
            watched.clear();
        }
        answered
    }

    async fn acquire_on(
        &self,
        link: &mut Link,
        request: &AcquireRequest,
        words: &Words,
    ) -> Result<Answered> {
        // The second time the epoch was learnt just now; a third would be a bug.
        for _ in 0..2 {
            let sent = self.runtime.now();
            let epoch = link.epoch();
            let trust = epoch.trust(self.runtime.clock());
            let head = format!("lh1 - {}", epoch.mark());
            let args = words.with(&head, &trust);
            let args = if words.ordinary && trust.is_empty() { &args[..4] } else { &args };
            let answer = link.run(Op::Acquire, &words.keys, args).await?;
            let answer = reply::acquired(&answer, request.ttl())?;
            match &answer {
                // It says that it did nothing: it may be sent again.
                Acquired::AnotherEpoch => {
                    self.lanes.learn_again(link).await?;
                    continue;
                }
                Acquired::Granted { now, .. }
                | Acquired::Held { now, .. }
                | Acquired::Waiting { now, .. } => {
                    epoch.saw(*now);
                    self.saw_clock(sent, *now);
                }
            }
            return Ok(Answered { sent, mark: epoch.mark().to_owned(), answer });
        }
        let message = "the server is in another epoch each time it is asked";
        Err(Error::new(ErrorKind::Unavailable, Effect::None, message))
    }

    pub(crate) async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.check_ttl(ttl)?;
        let (id, ttl) = (id.expose_hex(), ttl.as_micros().to_string());
        let mut link = self.lanes.link(key).await?;
        let words: [&[u8]; 2] = [id.as_bytes(), ttl.as_bytes()];
        let extended = self.extend_on(&mut link, &[self.names.record(key)], &words).await?;
        let extended = extended.into_iter().next();
        extended.unwrap_or(Ok(Extension::Lost))
    }

    /// One call of `extend.lua`: an id and a ttl for each of these records.
    pub(crate) async fn extend_on(
        &self,
        link: &mut Link,
        records: &[String],
        words: &[&[u8]],
    ) -> Result<Vec<Result<Extension>>> {
        let sent = self.runtime.now();
        let answer = link.run(Op::Extend, records, words).await?;
        let (now, extended) = reply::extended(&answer, records.len())?;
        self.saw_clock(sent, now);
        Ok(extended)
    }

    /// An answer to what was sent at `sent` showed the server's clock. A step forward ends leases early, which their holders
    /// must know; a step back hands them on late.
    fn saw_clock(&self, sent: Timestamp, server: u64) {
        let step = self.clock.look(sent, self.runtime.clock(), server);
        if let Some(step) = step {
            observe::backend::clock_stepped(matches!(step, Step::Forward(_)));
        }
        match step {
            Some(Step::Forward(by)) => {
                tracing::warn!(
                    ?by,
                    "the server's clock stepped forward: leases end that much early"
                );
                self.revocations.tell_step(by, sent);
            }
            Some(Step::Back(by)) => tracing::warn!(?by, "the server's clock stepped back"),
            None => {}
        }
    }

    pub(crate) async fn release(&self, key: &LockKey, id: LeaseId, how: How) -> Result<Release> {
        let how = match how {
            How::Leave => "leave",
            How::Release if self.suspects.contains(id) => "1",
            How::Release => "0",
        };
        let mut owned = String::with_capacity(40);
        push_id(&mut owned, id);
        owned.extend([" ", how, " "]);
        let mut link = self.lanes.link(key).await?;
        let epoch = link.epoch();
        let trust = epoch.trust(self.runtime.clock());
        let epoch = [epoch.mark(), " ", &trust].concat();
        let args = [owned.as_bytes(), epoch.as_bytes()];
        let answer = link.run(Op::Release, &[self.names.record(key)], &args).await?;
        reply::released(&answer)
    }

    pub(crate) async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        let id = id.expose_hex();
        let mut link = self.lanes.link(key).await?;
        let epoch = link.epoch();
        let trust = epoch.trust(self.runtime.clock());
        let args = [id.as_bytes(), epoch.mark().as_bytes(), trust.as_bytes()];
        let sent = self.runtime.now();
        let answer = link.run(Op::Downgrade, &[self.names.record(key)], &args).await?;
        let (now, downgraded) = reply::downgraded(&answer)?;
        self.saw_clock(sent, now);
        downgraded
    }

    pub(crate) async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let mut link = self.lanes.link(key).await?;
        let answer = link.run(Op::Inspect, &[self.names.record(key)], &[]).await?;
        reply::inspected(&answer)
    }

    pub(crate) async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        let mut link = self.lanes.link(key).await?;
        let epoch = link.epoch();
        let trust = epoch.trust(self.runtime.clock());
        let channel = self.names.revocations();
        let args = [epoch.mark().as_bytes(), trust.as_bytes(), channel.as_bytes()];
        let answer = link.run(Op::Revoke, &[self.names.record(key)], &args).await?;
        Ok(Revoked { leases: reply::revoked(&answer)? })
    }

    /// The quarantine covers no longer lease than it was made for.
    pub(crate) fn check_ttl(&self, ttl: Ttl) -> Result<()> {
        match self.max_ttl {
            Some(most) if ttl.get() > most => {
                let bound = format!("at most the backend's max_ttl of {most:?}");
                Err(Error::invalid("ttl", ttl, bound))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What `acquire.lua` is called with, but for what is known of the epoch.
struct Words {
    keys: Vec<String>,
    claim: String,
    mode: String,
    ttl: String,
    ticket: String,
    /// Whether the fast path may be for it.
    ordinary: bool,
}

impl Words {
    fn new(request: &AcquireRequest, ticket: Option<&Ticket<'_>>, core: &Core) -> Self {
        let ticket = ticket.map(|ticket| {
            let micros = ticket.ttl.as_micros().max(1);
            format!("{micros} {}", ticket.channel)
        });
        Self {
            keys: request.keys().iter().map(|key| core.names.record(key)).collect(),
            claim: claim(request),
            mode: mode(request),
            // A lease that ends within the retention need not be compared with it.
            ordinary: request.mode().is_exclusive()
                && request.keys().len() == 1
                && request.ttl().get() <= core.ordinary_ttl,
            ttl: request.ttl().as_micros().to_string(),
            ticket: ticket.unwrap_or_default(),
        }
    }

    fn with<'a>(&'a self, head: &'a str, trust: &'a str) -> [&'a [u8]; 6] {
        [
            self.claim.as_bytes(),
            self.ttl.as_bytes(),
            head.as_bytes(),
            self.ticket.as_bytes(),
            self.mode.as_bytes(),
            trust.as_bytes(),
        ]
    }
}

/// The request as it will stand in the record: id, minimum hold in µs, nothing beside it, holder.
pub(crate) fn claim(request: &AcquireRequest) -> String {
    let mut claim = String::with_capacity(96);
    push_id(&mut claim, request.id());
    match request.min_hold() {
        None => claim.push_str(" 0 - "),
        // Writing to a string does not fail.
        Some(hold) => {
            let _infallible = write!(claim, " {} - ", hold.as_nanos().div_ceil(1_000));
        }
    }
    claim.push_str(&request.holder().encode());
    claim
}

pub(crate) fn mode(request: &AcquireRequest) -> String {
    match request.mode() {
        Mode::Exclusive => "x".to_owned(),
        Mode::Shared { limit } => {
            format!("s{}.{}", request.permits(), limit.get().unwrap_or(0))
        }
    }
}

/// The id in hexadecimal digits: this is on every path, and formatting each byte is not free.
fn push_id(text: &mut String, id: LeaseId) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in id.expose_bytes() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("names", &self.names).finish_non_exhaustive()
    }
}
