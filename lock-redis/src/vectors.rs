//! The outcome vectors, run against the scripts on a real server at the times that the vectors say.

use std::time::Duration;

use async_trait::async_trait;
use leasehold::{
    AcquireRequest, Capability, Downgrade, Effect, Error, Extension, FencingToken, KeyState,
    LeaseId, LockBackend, LockKey, Release, Result,
};
use leasehold_testkit::vectors::{Answer, Event, Machine, Operation, Outcome, Vector, run};

use crate::{
    RedisBackend,
    core::{How, Ticket},
    reply::Acquired,
};

#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the crate")]
#[path = "../tests/support/resp.rs"]
mod resp;
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the crate")]
#[path = "../tests/support/server.rs"]
mod server;

use resp::Client;
use server::RedisServer;

/// Where the vectors' time begins, in µs.
const BEGAN: u64 = 1_000_000_000;
const CHANNEL: &str = "lh:process:vectors";

/// The scripts, a clock that stands where it is set, and waiters that ask only when they are made to.
struct Scripted {
    server: RedisServer,
    backend: RedisBackend,
    pushes: Client,
    now: u64,
    waiting: Vec<(AcquireRequest, u64)>,
}

impl Scripted {
    async fn start(fast_paths: bool) -> Self {
        let server = RedisServer::start();
        let config = RedisBackend::builder(server.url())
            .response_timeout(Duration::from_secs(5))
            .without_quarantine()
            .script_clock("local now = redis.call('GET', 'now')\n");
        let config = if fast_paths { config } else { config.without_fast_paths() };
        let backend = config.connect().await.unwrap();
        let mut pushes = server.client();
        pushes.call(&["SUBSCRIBE", CHANNEL]).unwrap();
        let machine = Self { server, backend, pushes, now: 0, waiting: Vec::new() };
        machine.set_clock();
        machine
    }

    fn set_clock(&self) {
        let now = format!("{:016}", BEGAN + self.now);
        self.server.command(&["SET", "now", &now]);
    }

    async fn ask(&self, request: &AcquireRequest, deadline: u64) -> Result<Acquired> {
        let left = Duration::from_micros(deadline.saturating_sub(self.now));
        let ticket = Ticket { ttl: left.min(Duration::from_secs(3_600)), channel: CHANNEL };
        Ok(self.backend.core().acquire(request, Some(&ticket)).await?.answer)
    }

    /// What was pushed by scripts that have answered: all of it stands before the answer to a ping.
    fn pushed(&mut self) -> Vec<Event> {
        self.pushes.send(&["PING"]).unwrap();
        let mut events = Vec::new();
        loop {
            let mut message = self.pushes.read().unwrap().list();
            let text = message.pop().unwrap().text();
            if message.pop().unwrap().text() == "pong" {
                return events;
            }
            let words: Vec<_> = text.split(' ').collect();
            if words[0] == "grant" {
                let id = LeaseId::from_hex(words[1]).unwrap();
                let token = FencingToken::new(words[2].parse().unwrap()).unwrap();
                self.waiting.retain(|(request, _)| request.id() != id);
                events.push(Event::Granted { id, token });
            }
        }
    }

    /// Every waiter does what it does by itself at this instant: asks, or gives up.
    async fn look(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for (request, deadline) in self.waiting.clone() {
            let id = request.id();
            if self.waiting.iter().all(|(waiting, _)| waiting.id() != id) {
                continue;
            }
            if self.now >= deadline {
                self.backend.core().release(request.key(), id, How::Leave).await.unwrap();
                self.waiting.retain(|(waiting, _)| waiting.id() != id);
                events.push(Event::TimedOut { id });
            } else {
                match self.ask(&request, deadline).await {
                    Ok(Acquired::Granted { token, .. }) => {
                        self.waiting.retain(|(waiting, _)| waiting.id() != id);
                        events.push(Event::Granted { id, token });
                    }
                    Ok(_) => {}
                    Err(_given_up) => self.waiting.retain(|(waiting, _)| waiting.id() != id),
                }
            }
            events.extend(self.pushed());
        }
        events
    }

    /// The next instant at which something happens by itself.
    async fn next_instant(&self, until: u64) -> u64 {
        let mut next = until;
        for (request, deadline) in &self.waiting {
            let state = self.backend.inspect(request.key()).await.unwrap();
            let ends = state.leases.iter().map(|lease| self.now + micros(lease.remaining));
            let soon = ends.chain([*deadline]).filter(|instant| *instant > self.now);
            next = soon.chain([next]).min().unwrap_or(next);
        }
        next
    }

    async fn acquire(&mut self, request: &AcquireRequest, deadline: u64) -> Result<Outcome> {
        if deadline <= self.now {
            let core = self.backend.core();
            let answer = core.acquire(request, None).await?.answer;
            if let Acquired::Granted { token, .. } = answer {
                return Ok(Outcome::Granted(token));
            }
            core.release(request.key(), request.id(), How::Leave).await?;
            return Ok(Outcome::TimedOut);
        }
        match self.ask(request, deadline).await? {
            Acquired::Granted { token, .. } => Ok(Outcome::Granted(token)),
            _ => {
                if self.waiting.iter().all(|(waiting, _)| waiting.id() != request.id()) {
                    self.waiting.push((request.clone(), deadline));
                }
                Ok(Outcome::Queued)
            }
        }
    }

    async fn operate(&mut self, operation: &Operation) -> Result<Outcome> {
        let core = self.backend.core();
        Ok(match operation {
            Operation::TryAcquire(request) => match core.acquire(request, None).await?.answer {
                Acquired::Granted { token, .. } => Outcome::Granted(token),
                Acquired::Held { held, .. } => Outcome::Held(held.reason),
                other => panic!("{other:?}"),
            },
            Operation::Acquire { request, deadline } => {
                return self.acquire(request, micros(*deadline)).await;
            }
            Operation::Extend { key, id, ttl } => match core.extend(key, *id, *ttl).await? {
                Extension::Extended => Outcome::Extended,
                Extension::Lost => Outcome::Lost,
            },
            Operation::Downgrade { key, id } => match core.downgrade(key, *id).await? {
                Downgrade::Downgraded => Outcome::Downgraded,
                Downgrade::Lost => Outcome::Lost,
            },
            Operation::Release { key, id } => match core.release(key, *id, How::Release).await? {
                Release::Released => Outcome::Released,
                Release::NotHeld => Outcome::NotHeld,
            },
            Operation::Revoke { key } => Outcome::Revoked(core.revoke(key).await?.leases),
            Operation::Cancel { key, id } => {
                core.release(key, *id, How::Leave).await?;
                self.waiting.retain(|(request, _)| request.id() != *id);
                Outcome::Nothing
            }
            Operation::Tick => Outcome::Nothing,
        })
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn refused(error: &Error) -> Outcome {
    assert_eq!(error.effect(), Effect::None, "the backend failed: {error:?}");
    Outcome::Refused(error.kind())
}

#[async_trait]
impl Machine for Scripted {
    fn can(&self, capability: Capability) -> bool {
        self.backend.capabilities().has(capability)
    }

    async fn apply(&mut self, at: Duration, operation: &Operation) -> Answer {
        let mut events = Vec::new();
        while self.now < micros(at) {
            self.now = self.next_instant(micros(at)).await;
            self.set_clock();
            events.extend(self.look().await);
        }
        let outcome = self.operate(operation).await.unwrap_or_else(|error| refused(&error));
        events.extend(self.pushed());
        Answer { outcome, events }
    }

    async fn inspect(&mut self, _at: Duration, key: &LockKey) -> KeyState {
        self.backend.inspect(key).await.unwrap()
    }
}

#[tokio::test]
async fn the_scripts_answer_every_outcome_vector() {
    answer_every_vector(true).await;
}

#[tokio::test]
async fn the_general_way_answers_as_the_fast_paths_do() {
    answer_every_vector(false).await;
}

async fn answer_every_vector(fast_paths: bool) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec");
    let mut ran = 0;
    let mut wrong = Vec::new();
    for vector in Vector::read_all(folder).unwrap() {
        let mut machine = Scripted::start(fast_paths).await;
        match run(&vector, &mut machine).await {
            Ok(did) => ran += usize::from(did),
            Err(mismatch) => wrong.push(mismatch.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 50, "{ran}");
}
