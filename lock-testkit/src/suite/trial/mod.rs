//! What a case works with: a backend, its time, and the few verbs that cases are made of.

mod operations;
mod waiting;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use leasehold::{
    AcquireRequest, Capability, Grant, Holder, LeaseId, Limit, LockBackend, LockKey, Mode, Result,
    Timestamp, Ttl, runtime::OsEntropy,
};

use super::{Running, TestTime};

pub(crate) use waiting::Waiting;

/// Long enough to outlive any case on any machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// On a virtual clock, longer than any pause between two polls.
const POLLING: Duration = Duration::from_secs(2);

/// One run of one case.
pub(crate) struct Trial {
    pub(crate) backend: Arc<dyn LockBackend>,
    time: TestTime,
    patience: Duration,
    namespace: LeaseId,
    holders: AtomicU32,
}

/// A lease that a case holds.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) key: LockKey,
    pub(crate) id: LeaseId,
    pub(crate) grant: Grant,
}

impl Trial {
    pub(crate) fn new<B: LockBackend>(running: Running<B>) -> Self {
        let patience = running.patience.unwrap_or(match running.time {
            TestTime::Real => Duration::from_secs(30),
            TestTime::Virtual(_) if running.backend.capabilities().has(Capability::Queue) => {
                Duration::ZERO
            }
            TestTime::Virtual(_) => POLLING,
        });
        Self {
            backend: Arc::new(running.backend),
            time: running.time,
            patience,
            // A shared server may hold the keys of other runs: no seed may decide this.
            namespace: LeaseId::random(&OsEntropy),
            holders: AtomicU32::new(0),
        }
    }

    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.backend.capabilities().has(capability)
    }

    // Values.

    pub(crate) fn key(&self, name: &str) -> LockKey {
        let key = LockKey::new(self.key_text(name));
        key.unwrap_or_else(|error| panic!("the case uses a bad key: {error}"))
    }

    /// What the keys of this run begin with, and `name`.
    pub(crate) fn key_text(&self, name: &str) -> String {
        format!("conformance:{}:{name}", self.namespace.expose_hex())
    }

    pub(crate) fn id(&self) -> LeaseId {
        self.backend.runtime().lease_id()
    }

    pub(crate) fn long(&self) -> Ttl {
        ttl(LONG)
    }

    /// A ttl that a case can wait out: on a virtual clock one that no rounding leaves as it is.
    pub(crate) fn short(&self) -> Ttl {
        ttl(match self.time {
            TestTime::Virtual(_) => Duration::from_micros(1_234_567),
            TestTime::Real => Duration::from_millis(120),
        })
    }

    /// Ttls for a case that must act before a short lease ends: where that came too late, nothing was seen,
    /// and the next, longer ttl is tried.
    pub(crate) fn scales(&self) -> impl Iterator<Item = Ttl> + Send {
        let first = self.short().get();
        let scales = (0..8).map(move |doubled| ttl(first * (1 << doubled)));
        scales.chain(std::iter::from_fn(|| {
            panic!("the machine is too slow to use a short lease before it ends")
        }))
    }

    /// Whether a lease asked for at `since` may have run out by now.
    pub(crate) fn too_late(&self, since: Timestamp, ttl: Ttl) -> bool {
        self.now() >= since + ttl.get() * 19 / 20
    }

    /// An exclusive request under a new id.
    pub(crate) fn request(&self, key: &LockKey, ttl: Ttl) -> AcquireRequest {
        AcquireRequest::new(key.clone(), self.id(), ttl).with_holder(self.holder())
    }

    /// A long shared request under a new id.
    pub(crate) fn shared(&self, key: &LockKey, limit: u32, permits: u32) -> AcquireRequest {
        let limit = Limit::new(limit).unwrap_or_else(|error| panic!("{error}"));
        let mode = Mode::Shared { limit };
        in_mode(self.request(key, self.long()), mode, permits)
    }

    /// A long read lock under a new id.
    pub(crate) fn read(&self, key: &LockKey) -> AcquireRequest {
        in_mode(self.request(key, self.long()), Mode::READ, 1)
    }

    /// A read lock for `ttl` under a new id.
    pub(crate) fn read_for(&self, key: &LockKey, ttl: Ttl) -> AcquireRequest {
        in_mode(self.request(key, ttl), Mode::READ, 1)
    }

    /// A long exclusive request for several keys under a new id.
    pub(crate) fn request_all(&self, keys: &[LockKey], ttl: Ttl) -> AcquireRequest {
        let request = AcquireRequest::for_keys(keys.iter().cloned(), self.id(), ttl);
        let request = request.unwrap_or_else(|error| panic!("{error}"));
        request.with_holder(self.holder())
    }

    fn holder(&self) -> Holder {
        let number = self.holders.fetch_add(1, Ordering::Relaxed);
        let holder = Holder::new(format!("client-{number}"));
        holder.unwrap_or_else(|error| panic!("{error}"))
    }

    // Time.

    pub(crate) fn now(&self) -> Timestamp {
        self.backend.runtime().now()
    }

    pub(crate) fn far(&self) -> Timestamp {
        self.now() + LONG
    }

    pub(crate) const fn is_virtual(&self) -> bool {
        matches!(self.time, TestTime::Virtual(_))
    }

    pub(crate) fn resolution(&self) -> Duration {
        self.backend.capabilities().expiry_resolution()
    }

    /// The instants at which to look at what starts now and lasts `length`, if time is virtual.
    pub(crate) async fn pass_exactly(&self, length: Duration) -> bool {
        match &self.time {
            TestTime::Virtual(clock) => clock.advance(length).await,
            TestTime::Real => return false,
        }
        true
    }

    /// Waits until what began before this call and lasts `length` is certainly over. In real time
    /// the backend's clock may be the slower one: a little longer is always safe.
    pub(crate) async fn pass(&self, length: Duration) {
        let over = length + self.resolution();
        if !self.pass_exactly(over).await {
            let slack = length / 20 + Duration::from_millis(2);
            self.backend.runtime().sleep(over + slack).await;
        }
    }

    /// Lets everything that can run without time passing do so.
    pub(crate) async fn settle(&self) {
        match &self.time {
            TestTime::Virtual(clock) => clock.settle().await,
            TestTime::Real => tokio::task::yield_now().await,
        }
    }

    /// Lets the world go on a little: in real time long enough for an answer from near by.
    pub(crate) async fn breathe(&self) {
        match &self.time {
            TestTime::Virtual(clock) => clock.settle().await,
            TestTime::Real => self.backend.runtime().sleep(Duration::from_millis(1)).await,
        }
    }

    pub(super) async fn step(&self) {
        match &self.time {
            TestTime::Virtual(clock) => clock.advance(Duration::from_millis(10)).await,
            TestTime::Real => self.backend.runtime().sleep(Duration::from_millis(3)).await,
        }
    }
}

/// The outcome, where the world has no reason to fail.
#[track_caller]
pub(crate) fn world<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("the backend failed: {error}"))
}

pub(crate) fn ttl(length: Duration) -> Ttl {
    Ttl::new(length).unwrap_or_else(|error| panic!("the case uses a bad ttl: {error}"))
}

pub(crate) fn in_mode(request: AcquireRequest, mode: Mode, permits: u32) -> AcquireRequest {
    let request = request.with_mode(mode, permits);
    request.unwrap_or_else(|error| panic!("the case asks for bad permits: {error}"))
}

pub(crate) fn holding(request: AcquireRequest, min_hold: Duration) -> AcquireRequest {
    let request = request.with_min_hold(min_hold);
    request.unwrap_or_else(|error| panic!("the case uses a bad minimum hold: {error}"))
}
