//! A backend of somebody else, in one file: exclusive leases in one map, waiting by polling. The last
//! lines enrol it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, DowngradeBackend, Effect,
    Error, ErrorKind, Extension, FencingToken, Grant, Held, HeldReason, Holder, KeyState, LeaseId,
    LeaseInfo, LockBackend, LockKey, Mode, Release, Result, Runtime, Timestamp, TryAcquire, Ttl,
    async_trait, poll_acquire,
};
use leasehold_testkit::suite::{Erased, Fixture, InArc, InBox, Running};

/// How long a given-up id is remembered.
const MEMORY: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct MapBackend {
    runtime: Runtime,
    keys: Mutex<BTreeMap<LockKey, Entry>>,
}

#[derive(Debug, Default)]
struct Entry {
    last_token: Option<FencingToken>,
    lease: Option<Lease>,
    given_up: BTreeMap<LeaseId, Timestamp>,
}

#[derive(Clone, Debug)]
struct Lease {
    id: LeaseId,
    holder: Holder,
    token: FencingToken,
    granted: Timestamp,
    ends: Timestamp,
}

impl MapBackend {
    fn new(runtime: Runtime) -> Self {
        Self { runtime, keys: Mutex::default() }
    }

    /// Looks at a key as it is now: what has ended is gone.
    fn at<T>(&self, key: &LockKey, look: impl FnOnce(&mut Entry, Timestamp) -> T) -> T {
        let now = self.runtime.now();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = keys.entry(key.clone()).or_default();
        entry.lease.take_if(|lease| lease.ends <= now);
        entry.given_up.retain(|_, since| *since + MEMORY > now);
        look(entry, now)
    }
}

impl Entry {
    fn mine(&mut self, id: LeaseId) -> Option<&mut Lease> {
        self.lease.as_mut().filter(|lease| lease.id == id)
    }

    fn try_acquire(&mut self, request: &AcquireRequest, now: Timestamp) -> Result<TryAcquire> {
        if self.given_up.contains_key(&request.id()) {
            let error = Error::new(ErrorKind::IdReused, Effect::None, "the id was given up");
            return Err(error.with_key(request.key()));
        }
        if let Some(lease) = self.mine(request.id()) {
            lease.ends = lease.ends.max(now + request.ttl().get());
            return Ok(granted(lease, request, now));
        }
        if let Some(lease) = &self.lease {
            let mut held = Held::because(HeldReason::Lease);
            held.retry_after = Some(lease.ends.since(now));
            held.holders = vec![lease.holder.clone()];
            return Ok(TryAcquire::Held(held));
        }
        let token = self.last_token.map_or(0, FencingToken::get) + 1;
        self.last_token = FencingToken::new(token);
        let token = self.last_token.ok_or_else(|| {
            Error::new(ErrorKind::Internal, Effect::None, "the tokens are used up")
        })?;
        let lease = self.lease.insert(Lease {
            id: request.id(),
            holder: request.holder().clone(),
            token,
            granted: now,
            ends: now + request.ttl().get(),
        });
        Ok(granted(lease, request, now))
    }
}

fn granted(lease: &Lease, request: &AcquireRequest, now: Timestamp) -> TryAcquire {
    TryAcquire::Granted(Grant { token: lease.token, ttl: request.ttl(), since: now })
}

#[async_trait]
impl LockBackend for MapBackend {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        if !request.mode().is_exclusive() {
            return Err(Error::unsupported("shared leases"));
        }
        if request.keys().len() > 1 {
            return Err(Error::unsupported("several keys"));
        }
        if request.min_hold().is_some() {
            return Err(Error::unsupported("a minimum hold"));
        }
        self.at(request.key(), |entry, now| entry.try_acquire(request, now))
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        poll_acquire(self, request, deadline).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        Ok(self.at(key, |entry, now| match entry.mine(id) {
            Some(lease) => {
                lease.ends = lease.ends.max(now + ttl.get());
                Extension::Extended
            }
            None => Extension::Lost,
        }))
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        Ok(self.at(key, |entry, now| {
            entry.given_up.insert(id, now);
            match entry.lease.take_if(|lease| lease.id == id) {
                Some(_) => Release::Released,
                None => Release::NotHeld,
            }
        }))
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let leases =
            self.at(key, |entry, now| entry.lease.iter().map(|lease| lease.info(now)).collect());
        Ok(KeyState { leases, waiters: Vec::new() })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Duration::ZERO)
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        None
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        None
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        None
    }
}

impl Lease {
    fn info(&self, now: Timestamp) -> LeaseInfo {
        LeaseInfo {
            holder: self.holder.clone(),
            mode: Mode::Exclusive,
            permits: 1,
            token: self.token,
            remaining: self.ends.since(now),
            age: now.since(self.granted),
            released: false,
        }
    }
}

struct OnVirtualTime;

impl Fixture for OnVirtualTime {
    type Backend = MapBackend;

    async fn start(&self) -> Running<MapBackend> {
        let (runtime, clock) = Runtime::manual(7);
        Running::on_virtual_time(MapBackend::new(runtime), clock)
    }
}

struct OnRealTime;

impl Fixture for OnRealTime {
    type Backend = MapBackend;

    async fn start(&self) -> Running<MapBackend> {
        Running::on_real_time(MapBackend::new(Runtime::tokio()))
    }
}

/// Tokio's time stands still and jumps to the next timer.
struct OnPausedTime;

impl Fixture for OnPausedTime {
    type Backend = MapBackend;

    async fn start(&self) -> Running<MapBackend> {
        tokio::time::pause();
        OnRealTime.start().await
    }
}

macro_rules! enrol {
    ($($shape:ident: $fixture:expr,)*) => {$(
        mod $shape {
            use super::*;

            leasehold_testkit::conformance!($fixture, without = [
                queue: "waits by polling",
                shared: "one lease a key",
                several_keys: "one key a request",
                min_hold: "a release frees",
                revoke: "has no administration",
                batch: "one operation a call",
                downgrade: "one lease a key",
            ]);
        }
    )*};
}

enrol! {
    by_value: OnVirtualTime,
    in_arc: InArc(OnVirtualTime),
    in_box: InBox(OnVirtualTime),
    erased: Erased(OnVirtualTime),
    on_real_time: OnRealTime,
    on_paused_time: OnPausedTime,
}
