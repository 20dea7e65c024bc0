//! Any backend on a virtual clock as a machine.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use leasehold::{
    Acquire, Capability, Clock as _, Downgrade, Effect, Error, Extension, KeyState, LeaseId,
    LockBackend, LockKey, Release, Result, Timestamp, TryAcquire, VirtualClock,
};
use tokio::task::JoinHandle;

use super::{Answer, Event, Machine, Operation, Outcome};

/// A backend and its clock. It must be used within a single-threaded tokio runtime: waiters are tasks.
#[derive(Debug)]
pub struct BackendMachine {
    backend: Arc<dyn LockBackend>,
    clock: VirtualClock,
    began: Timestamp,
    waiting: Vec<(LeaseId, JoinHandle<Result<Acquire>>)>,
}

impl BackendMachine {
    /// The machine of this backend, which lives on this clock. The vector begins now.
    #[must_use]
    pub fn new(backend: impl LockBackend, clock: VirtualClock) -> Self {
        Self { backend: Arc::new(backend), began: clock.now(), clock, waiting: Vec::new() }
    }

    async fn start_waiting(&mut self, operation: &Operation) -> Outcome {
        let Operation::Acquire { request, deadline } = operation else {
            return Outcome::Nothing;
        };
        let (backend, id) = (Arc::clone(&self.backend), request.id());
        let (request, deadline) = (request.clone(), self.began + *deadline);
        let task = tokio::spawn(async move { backend.acquire(&request, deadline).await });
        self.clock.settle().await;
        if !task.is_finished() {
            self.waiting.push((id, task));
            return Outcome::Queued;
        }
        match ended(task).await {
            Ok(Acquire::Granted(grant)) => Outcome::Granted(grant.token),
            Ok(Acquire::TimedOut(_)) => Outcome::TimedOut,
            Err(error) => refused(&error),
        }
    }

    async fn cancel(&mut self, id: LeaseId) {
        for (waiting, task) in &self.waiting {
            if *waiting == id {
                task.abort();
            }
        }
        self.clock.settle().await;
        self.waiting.retain(|(waiting, _)| *waiting != id);
    }

    /// The waiters whose wait ended, in the order in which they came.
    async fn events(&mut self) -> Vec<Event> {
        self.clock.settle().await;
        let mut events = Vec::new();
        for (id, task) in std::mem::take(&mut self.waiting) {
            if !task.is_finished() {
                self.waiting.push((id, task));
                continue;
            }
            match ended(task).await {
                Ok(Acquire::Granted(grant)) => {
                    events.push(Event::Granted { id, token: grant.token });
                }
                Ok(Acquire::TimedOut(_)) => events.push(Event::TimedOut { id }),
                // Its id was given up: nothing that the specification speaks of.
                Err(_) => {}
            }
        }
        events
    }
}

async fn ended(task: JoinHandle<Result<Acquire>>) -> Result<Acquire> {
    task.await.unwrap_or_else(|panicked| panic!("{panicked}"))
}

fn refused(error: &Error) -> Outcome {
    assert_eq!(error.effect(), Effect::None, "the backend failed: {error}");
    Outcome::Refused(error.kind())
}

#[async_trait]
impl Machine for BackendMachine {
    fn can(&self, capability: Capability) -> bool {
        self.backend.capabilities().has(capability)
    }

    async fn apply(&mut self, at: Duration, operation: &Operation) -> Answer {
        let passed = (self.began + at).since(self.clock.now());
        self.clock.advance(passed).await;
        let mut events = self.events().await;
        let backend = Arc::clone(&self.backend);
        let done = match operation {
            Operation::TryAcquire(request) => backend.try_acquire(request).await.map(tried),
            Operation::Acquire { .. } => Ok(self.start_waiting(operation).await),
            Operation::Extend { key, id, ttl } => {
                backend.extend(key, *id, *ttl).await.map(extended)
            }
            Operation::Downgrade { key, id } => match backend.downgrader() {
                Some(downgrading) => downgrading.downgrade(key, *id).await.map(downgraded),
                None => Err(Error::unsupported("downgrading")),
            },
            Operation::Release { key, id } => backend.release(key, *id).await.map(released),
            Operation::Revoke { key } => match backend.admin() {
                Some(admin) => admin.revoke(key).await.map(|done| Outcome::Revoked(done.leases)),
                None => Err(Error::unsupported("revocation")),
            },
            Operation::Cancel { id, .. } => {
                self.cancel(*id).await;
                Ok(Outcome::Nothing)
            }
            Operation::Tick => Ok(Outcome::Nothing),
        };
        events.extend(self.events().await);
        let outcome = done.unwrap_or_else(|error| refused(&error));
        Answer { outcome, events }
    }

    async fn inspect(&mut self, _at: Duration, key: &LockKey) -> KeyState {
        let state = self.backend.inspect(key).await;
        state.unwrap_or_else(|error| panic!("the backend failed: {error}"))
    }
}

fn tried(outcome: TryAcquire) -> Outcome {
    match outcome {
        TryAcquire::Granted(grant) => Outcome::Granted(grant.token),
        TryAcquire::Held(held) => Outcome::Held(held.reason),
    }
}

fn extended(outcome: Extension) -> Outcome {
    match outcome {
        Extension::Extended => Outcome::Extended,
        Extension::Lost => Outcome::Lost,
    }
}

fn downgraded(outcome: Downgrade) -> Outcome {
    match outcome {
        Downgrade::Downgraded => Outcome::Downgraded,
        Downgrade::Lost => Outcome::Lost,
    }
}

fn released(outcome: Release) -> Outcome {
    match outcome {
        Release::Released => Outcome::Released,
        Release::NotHeld => Outcome::NotHeld,
    }
}
