//! The backend itself.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability, Downgrade,
    DowngradeBackend, Effect, Error, ErrorKind, ExtendRequest, Extension, Grant, KeyPage, KeyState,
    LeaseId, ListRequest, LockBackend, LockKey, Release, Result, RevocationListener,
    RevocationListeners, Revoked, Runtime, Timestamp, TryAcquire, Ttl, poll_acquire,
};

use crate::{
    Health, Preflight, RedisConfig, batch,
    connect::{Lanes, ServerClock, Target},
    core::{Core, How},
    health,
    key::Keyspace,
    list, preflight,
    queue::{Queue, orphan_bound},
    reply::Acquired,
    suspects::Suspects,
};

/// Leases on one Redis or Valkey server.
///
/// Every operation is one script and one round trip, on the server's clock; a waiter is granted by the script that
/// frees the key. Cloning is cheap; clones share their connections.
///
/// # Not guaranteed
/// [`acquire`](LockBackend::acquire) of *several* keys does not stand in their queues: it tries again with jittered
/// backoff, all or nothing each time, and waiters of the single keys may overtake it (no G6).
///
/// # Cancellation safety
/// As [`LockBackend`] asks: a dropped call may still take effect, and [`release`](LockBackend::release) of its id cleans up,
/// also when it reaches the server first. A dropped [`acquire`](LockBackend::acquire) leaves the queue in the background.
#[derive(Clone)]
pub struct RedisBackend {
    queue: Arc<Queue>,
}

impl RedisBackend {
    /// Connects to the server at `url` with the default settings.
    ///
    /// # Errors
    /// [`Invalid`](leasehold::ErrorKind::Invalid) for a url that is none;
    /// [`Unsupported`](leasehold::ErrorKind::Unsupported) for a server older than Redis 6.2 or Valkey 7.2 and for `rediss://`
    /// without the feature `tls`; [`Denied`](leasehold::ErrorKind::Denied) for refused credentials;
    /// [`Unavailable`](leasehold::ErrorKind::Unavailable) if it can't be reached; and [`Unsupported`](leasehold::ErrorKind::Unsupported)
    /// for a server that throws locks away when memory is short (see [`RedisConfig::unsafe_settings`]). Its [`source`](std::error::Error::source) says why.
    pub async fn connect(url: impl Into<String>) -> Result<Self> {
        Self::connect_with(RedisConfig::new(url)).await
    }

    /// Settings to change before connecting to the server at `url`.
    pub fn builder(url: impl Into<String>) -> RedisConfig {
        RedisConfig::new(url)
    }

    /// Connects with these settings.
    ///
    /// # Errors
    /// As [`connect`](Self::connect) and [`RedisConfig::validate`].
    pub async fn connect_with(config: RedisConfig) -> Result<Self> {
        config.validate()?;
        let names = Keyspace::new(&config.prefix)?;
        let scripts = config.script_settings();
        let target = Target::new(&config.dial(&scripts, &names))?;
        let max_ttl = config.quarantine().map(|_| config.max_ttl);
        let longest = max_ttl.map_or(Ok(Ttl::MAX), Ttl::new)?;
        let core = Arc::new(Core {
            lanes: Lanes::connect(&target, config.lanes).await?,
            names,
            suspects: Suspects::new(config.runtime.clone(), config.forget_after()),
            ordinary_ttl: config.ordinary_ttl(),
            max_ttl,
            orphan_bound: orphan_bound(config.ticket_ttl, longest, config.forget_after()),
            runtime: config.runtime,
            clock: ServerClock::default(),
            revocations: RevocationListeners::default(),
        });
        preflight::gate(&core, &target, config.unsafe_settings).await?;
        let queue = Queue::new(core, target, config.ticket_ttl);
        Ok(Self { queue: Arc::new(queue) })
    }

    /// Looks whether the server is fit for locks: its version and role, what it throws away when memory is short, what it
    /// forgets in a restart or a failover, its clock, and what this user may do. Each finding has a reason and a remedy.
    ///
    /// It changes nothing. On top of what locks need, the user needs `+multi +discard` and `+config|get`; what could not be read
    /// is a finding, too. For a start script or an operator, not for each request: see [`health`](Self::health).
    ///
    /// ```no_run
    /// # async fn f() -> leasehold::Result<()> {
    /// use leasehold_redis::RedisBackend;
    ///
    /// let backend = RedisBackend::connect("redis://127.0.0.1:6379").await?;
    /// let found = backend.preflight().await?;
    /// println!("{found}");
    /// found.or_refuse()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The server can't be reached or does not answer.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn preflight(&self) -> Result<Preflight> {
        let found = preflight::preflight(self.core(), &self.queue.target).await;
        found.map_err(|error| error.with_operation("preflight"))
    }

    /// Whether the server can be used right now: it runs a script on each connection, in one round trip. Cheap enough for a
    /// probe that comes every second.
    ///
    /// # Errors
    /// The server can't be reached or does not answer, is a replica, or refuses this user.
    ///
    /// # Cancellation safety
    /// Changes nothing.
    pub async fn health(&self) -> Result<Health> {
        health::health(self.core()).await.map_err(|error| error.with_operation("health"))
    }

    pub(crate) fn core(&self) -> &Core {
        &self.queue.core
    }
}

/// Says of which operation on which key an error is.
fn about<'a>(operation: &'static str, key: &'a LockKey) -> impl FnOnce(Error) -> Error + use<'a> {
    move |error| error.with_operation(operation).with_key(key)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LockBackend for RedisBackend {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        let called = self.core().acquire(request, None).await;
        let called = called.map_err(about("try_acquire", request.key()))?;
        match called.answer {
            Acquired::Granted { token, ttl, .. } => {
                Ok(TryAcquire::Granted(Grant { token, ttl, since: called.sent }))
            }
            Acquired::Held { held, .. } => Ok(TryAcquire::Held(held)),
            Acquired::Waiting { .. } | Acquired::AnotherEpoch => {
                let message = "a try was answered as something else";
                Err(Error::new(ErrorKind::Internal, Effect::Unknown, message))
                    .map_err(about("try_acquire", request.key()))
            }
        }
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        if request.keys().len() > 1 {
            return poll_acquire(self, request, deadline).await;
        }
        let acquired = self.queue.acquire(request, deadline).await;
        acquired.map_err(about("acquire", request.key()))
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.core().extend(key, id, ttl).await.map_err(about("extend", key))
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        let released = self.core().release(key, id, How::Release).await;
        released.map_err(about("release", key))
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.core().inspect(key).await.map_err(about("inspect", key))
    }

    fn capabilities(&self) -> Capabilities {
        // The scripts compare whole microseconds.
        Capabilities::new(Duration::from_micros(1)).with_all(Capability::ALL)
    }

    fn runtime(&self) -> &Runtime {
        &self.core().runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        Some(self)
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        Some(self)
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        Some(self)
    }
}

#[async_trait]
impl BatchBackend for RedisBackend {
    async fn extend_many(&self, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
        batch::extend_many(self.core(), leases).await
    }
}

#[async_trait]
impl AdminBackend for RedisBackend {
    async fn revoke(&self, key: &LockKey) -> Result<Revoked> {
        self.core().revoke(key).await.map_err(about("revoke", key))
    }

    /// Walks the server's names with `SCAN`, which promises: a key that is held from the beginning of the first page to the end of the last is
    /// there, at least once; what came or went meanwhile may be. Keys are in order within a page only, may be on
    /// several pages, and a page may be empty, or have a few more keys than asked for.
    async fn list(&self, request: &ListRequest) -> Result<KeyPage> {
        let listed = list::list(self.core(), request).await;
        listed.map_err(|error| error.with_operation("list"))
    }

    /// Starts the subscription, if nobody has waited yet.
    fn watch_revocations(&self, listener: Weak<dyn RevocationListener>) {
        self.core().revocations.add(listener);
        self.queue.subscription();
    }
}

#[async_trait]
impl DowngradeBackend for RedisBackend {
    async fn downgrade(&self, key: &LockKey, id: LeaseId) -> Result<Downgrade> {
        self.core().downgrade(key, id).await.map_err(about("downgrade", key))
    }
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackend")
            .field("target", &self.queue.target)
            .field("names", &self.core().names)
            .finish_non_exhaustive()
    }
}
