//! The backend around the machine: the place of the bugs in what is not one step.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability,
    DowngradeBackend, ExtendRequest, Extension, KeyPage, KeyState, LeaseId, ListRequest,
    LockBackend, LockKey, Release, Result, RevocationListener, RevocationListeners, Revoked,
    Runtime, Timestamp, TryAcquire, Ttl,
};

use super::{bug::Bug, machine::Machine, seat::Seat};

/// A backend of this process with one bug, or none.
///
/// It is small and slow, and meant for a virtual clock. Without a bug it keeps the contract of
/// [`LockBackend`]; with one it breaks it in that one place.
#[derive(Clone)]
pub struct BrokenBackend(Arc<Shared>);

struct Shared {
    bug: Option<Bug>,
    runtime: Runtime,
    machine: Mutex<Machine>,
    listeners: RevocationListeners,
}

/// How long the second of two commands is on its way.
const BETWEEN: Duration = Duration::from_micros(100);

/// While the subscription of [`Bug::MissedWhileDisconnected`] is down.
const DISCONNECTED: std::ops::Range<u64> = 10_000_000..30_000_000;

impl BrokenBackend {
    /// A backend with this bug.
    #[must_use]
    pub fn with_bug(bug: Bug, runtime: Runtime) -> Self {
        Self::new(Some(bug), runtime)
    }

    /// The same backend without a bug: the one that each of the others deviates from.
    #[must_use]
    pub fn correct(runtime: Runtime) -> Self {
        Self::new(None, runtime)
    }

    fn new(bug: Option<Bug>, runtime: Runtime) -> Self {
        let machine = Mutex::new(Machine::new(bug));
        let listeners = RevocationListeners::default();
        Self(Arc::new(Shared { bug, runtime, machine, listeners }))
    }

    /// The bug, if it has one.
    #[must_use]
    pub fn bug(&self) -> Option<Bug> {
        self.0.bug
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.0.bug == Some(bug)
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self, machine: &Machine) -> Timestamp {
        machine.time(self.0.runtime.now())
    }

    /// One operation, after which whoever waits looks again.
    pub(super) fn operate<T>(&self, operation: impl FnOnce(&mut Machine, Timestamp) -> T) -> T {
        let mut machine = self.machine();
        let now = self.now(&machine);
        let outcome = operation(&mut machine, now);
        let wakers = machine.take_wakers();
        drop(machine);
        self.announce(wakers);
        outcome
    }

    pub(super) fn announce(&self, wakers: Vec<Waker>) {
        let down = DISCONNECTED.contains(&self.0.runtime.now().as_nanos());
        if self.has(Bug::LostWakeUp) || (self.has(Bug::MissedWhileDisconnected) && down) {
            return;
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn step_between(&self) {
        self.0.runtime.sleep(BETWEEN).await;
    }

    /// A request sent under an id of the try's own.
    fn under_new_id(&self, request: &AcquireRequest) -> AcquireRequest {
        let fresh = AcquireRequest::for_keys(
            request.keys().to_vec(),
            self.0.runtime.lease_id(),
            request.ttl(),
        );
        let fresh = fresh.and_then(|fresh| fresh.with_mode(request.mode(), request.permits()));
        fresh.unwrap_or_else(|_| request.clone())
    }

    async fn try_in_steps(&self, request: &AcquireRequest) -> Option<Result<TryAcquire>> {
        let limited = !request.mode().is_exclusive();
        match self.0.bug? {
            Bug::ChecksThenSets => {
                let free = self.operate(|machine, now| machine.is_free(now, request));
                if !free {
                    return None;
                }
                self.step_between().await;
                let grant = self.operate(|machine, now| machine.grant(now, request));
                Some(Ok(TryAcquire::Granted(grant)))
            }
            Bug::TtlSetInSecondStep => {
                let outcome = self.operate(|machine, now| machine.try_acquire(now, request));
                if let Ok(TryAcquire::Granted(_)) = outcome {
                    self.operate(|machine, _| machine.set_end(request, Timestamp::MAX));
                    self.step_between().await;
                    let lasting = request.ttl().get();
                    self.operate(|machine, now| machine.set_end(request, now + lasting));
                }
                Some(outcome)
            }
            Bug::DroppedCallLeaksPermit if limited => {
                let permits = i32::try_from(request.permits()).unwrap_or(i32::MAX);
                self.operate(|machine, _| machine.count_permits(request.key(), permits));
                self.step_between().await;
                self.operate(|machine, _| machine.count_permits(request.key(), -permits));
                None
            }
            Bug::RetryTakesNewId => {
                let request = self.under_new_id(request);
                Some(self.operate(|machine, now| machine.try_acquire(now, &request)))
            }
            _ => None,
        }
    }

    /// Takes several keys one after the other, keeping what it has; some callers from the last to the first.
    async fn lock_one_by_one(
        &self,
        request: &AcquireRequest,
        deadline: Timestamp,
    ) -> Result<Acquire> {
        let mut keys = request.keys().to_vec();
        if request.id().expose_bytes()[11] % 2 == 1 {
            keys.reverse();
        }
        let mut last = None;
        for key in &keys {
            let one = AcquireRequest::new(key.clone(), request.id(), request.ttl());
            match self.wait(&one, deadline).await? {
                Acquire::Granted(grant) => last = Some(grant),
                timed_out @ Acquire::TimedOut(_) => {
                    self.operate(|machine, now| machine.leave(now, request.keys(), request.id()));
                    return Ok(timed_out);
                }
            }
            self.step_between().await;
        }
        match last {
            Some(grant) => Ok(Acquire::Granted(grant)),
            None => self.wait(request, deadline).await,
        }
    }

    async fn wait(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        let mut seat = Seat::new(self, request, deadline);
        poll_fn(|context| seat.poll(context)).await
    }
}

impl fmt::Debug for BrokenBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokenBackend").field("bug", &self.0.bug).finish_non_exhaustive()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LockBackend for BrokenBackend {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        match self.try_in_steps(request).await {
            Some(outcome) => outcome,
            None => self.operate(|machine, now| machine.try_acquire(now, request)),
        }
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        if self.has(Bug::LocksOneByOne) && request.keys().len() > 1 {
            return self.lock_one_by_one(request, deadline).await;
        }
        self.wait(request, deadline).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        Ok(self.operate(|machine, now| machine.extend(now, key, id, ttl)))
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        Ok(self.operate(|machine, now| machine.release(now, key, id)))
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        Ok(self.operate(|machine, now| machine.inspect(now, key)))
    }

    fn capabilities(&self) -> Capabilities {
        let all = Capabilities::new(Duration::ZERO).with_all(Capability::ALL);
        all.without(Capability::Downgrade)
    }

    fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        Some(self)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        Some(self)
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        None
    }
}

#[async_trait]
impl BatchBackend for BrokenBackend {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        let mut outcomes = Vec::with_capacity(leases.len());
        for (place, lease) in leases.iter().enumerate() {
            let skips = self.has(Bug::BatchExtendsFirstOnly) && place > 0;
            let live = if skips { outcomes.first().cloned() } else { None };
            outcomes.push(match live {
                Some(first) => first,
                None => self
                    .operate(|machine, now| machine.extend(now, &lease.key, lease.id, lease.ttl)),
            });
        }
        outcomes.into_iter().map(Ok).collect()
    }
}

#[async_trait]
impl AdminBackend for BrokenBackend {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        Ok(Revoked { leases: self.operate(|machine, now| machine.revoke(now, key)) })
    }

    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        Ok(self.operate(|machine, now| machine.list(now, request)))
    }

    fn watch_revocations(&self, listener: std::sync::Weak<dyn RevocationListener>) {
        self.0.listeners.add(listener);
    }
}
