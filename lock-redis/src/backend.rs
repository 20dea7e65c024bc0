//! The backend itself: one script per operation.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability, Effect, Error,
    Extension, Grant, KeyState, LeaseId, LockBackend, LockKey, Mode, Release, Result, Runtime,
    Timestamp, TryAcquire, Ttl, poll_acquire,
};

use crate::{
    RedisConfig,
    connect::{Lanes, Target},
    key::Keyspace,
    reply::{self, Acquired},
    scripts::Op,
    suspects::Suspects,
};

/// Leases on one Redis or Valkey server.
///
/// Every operation is one script and one round trip, on the server's clock. Cloning is cheap; clones share
/// their connections.
///
/// # Cancellation safety
/// As [`LockBackend`] asks: a dropped call may still take effect, and [`release`](LockBackend::release) of its id cleans up,
/// also when it reaches the server first.
#[derive(Clone)]
pub struct RedisBackend {
    inner: Arc<Inner>,
}

struct Inner {
    lanes: Lanes,
    target: Target,
    names: Keyspace,
    suspects: Suspects,
    runtime: Runtime,
    /// The longest ttl that certainly ends within the retention.
    ordinary_ttl: Duration,
}

impl RedisBackend {
    /// Connects to the server at `url` with the default settings.
    ///
    /// # Errors
    /// [`Invalid`](leasehold::ErrorKind::Invalid) for a url that is none;
    /// [`Unsupported`](leasehold::ErrorKind::Unsupported) for a server older than Redis 6.2 or Valkey 7.2 and for `rediss://`
    /// without the feature `tls`; [`Denied`](leasehold::ErrorKind::Denied) for refused credentials;
    /// [`Unavailable`](leasehold::ErrorKind::Unavailable) if it can't be reached. Its [`source`](std::error::Error::source) says why.
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
        let scripts = config.script_settings();
        let target = Target::new(&config.dial(&scripts))?;
        let lanes = Lanes::connect(&target, config.lanes).await?;
        let inner = Inner {
            lanes,
            target,
            names: Keyspace::new(&config.prefix)?,
            suspects: Suspects::new(config.runtime.clone(), config.forget_after()),
            ordinary_ttl: config.ordinary_ttl(),
            runtime: config.runtime,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }
}

impl Inner {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        let since = self.runtime.now();
        let keys: Vec<_> = request
            .keys()
            .iter()
            .map(|key| self.names.record(key))
            .collect();
        let claim = claim(request);
        let mode = mode(request, self.ordinary_ttl);
        let ttl = request.ttl().as_micros().to_string();
        let args: [&[u8]; 6] = [
            claim.as_bytes(),
            mode.as_bytes(),
            ttl.as_bytes(),
            NO_MARK.as_bytes(),
            b"",
            b"",
        ];
        let mut link = self.lanes.link(request.key()).await?;
        let watched = self.suspects.watch(request.id());
        let answer = link.run(Op::Acquire, &keys, &args).await;
        let answer = answer.and_then(|answer| reply::acquired(&answer, request.ttl()));
        // Only what may still be on its way is suspect.
        if !matches!(&answer, Err(error) if error.effect() == Effect::Unknown) {
            watched.clear();
        }
        match answer? {
            Acquired::Granted { token, ttl } => {
                Ok(TryAcquire::Granted(Grant { token, ttl, since }))
            }
            Acquired::Held(held) => Ok(TryAcquire::Held(held)),
            Acquired::AnotherEpoch => Err(Error::new(
                leasehold::ErrorKind::Internal,
                Effect::None,
                "the server spoke of an epoch that nobody asked for",
            )),
        }
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        let (id, ttl) = (id.expose_hex(), ttl.as_micros().to_string());
        let mut link = self.lanes.link(key).await?;
        let answer = link
            .run(
                Op::Extend,
                &[self.names.record(key)],
                &[id.as_bytes(), ttl.as_bytes()],
            )
            .await?;
        let extended = reply::extended(&answer, 1)?.into_iter().next();
        match extended.unwrap_or(Ok(false))? {
            true => Ok(Extension::Extended),
            false => Ok(Extension::Lost),
        }
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        let suspect: &[u8] = if self.suspects.contains(id) {
            b"1"
        } else {
            b""
        };
        let owned = format!("{} 0 ", id.expose_hex());
        let mut link = self.lanes.link(key).await?;
        let answer = link
            .run(
                Op::Release,
                &[self.names.record(key)],
                &[owned.as_bytes(), suspect],
            )
            .await?;
        match reply::released(&answer)? {
            true => Ok(Release::Released),
            false => Ok(Release::NotHeld),
        }
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let mut link = self.lanes.link(key).await?;
        let answer = link
            .run(Op::Inspect, &[self.names.record(key)], &[])
            .await?;
        reply::inspected(&answer)
    }
}

/// The mark of a client that does not ask for one.
const NO_MARK: &str = "------------------------";

/// The request as it will stand in the record: id, minimum hold in µs, nothing beside it, holder.
fn claim(request: &AcquireRequest) -> String {
    let hold = request.min_hold().unwrap_or_default();
    format!(
        "{} {} - {}",
        request.id().expose_hex(),
        hold.as_nanos().div_ceil(1_000),
        request.holder().encode()
    )
}

/// A lease that ends within the retention goes the fast path, which need not compare the two.
fn mode(request: &AcquireRequest, ordinary: Duration) -> String {
    match request.mode() {
        Mode::Exclusive if request.ttl().get() <= ordinary => "x".to_owned(),
        Mode::Exclusive => "xl".to_owned(),
        Mode::Shared { limit } => {
            format!("s{}.{}", request.permits(), limit.get().unwrap_or(0))
        }
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
        self.inner
            .try_acquire(request)
            .await
            .map_err(about("acquire", request.key()))
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        poll_acquire(self, request, deadline).await
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        self.inner
            .extend(key, id, ttl)
            .await
            .map_err(about("extend", key))
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        self.inner
            .release(key, id)
            .await
            .map_err(about("release", key))
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        self.inner.inspect(key).await.map_err(about("inspect", key))
    }

    fn capabilities(&self) -> Capabilities {
        // The scripts compare whole microseconds.
        Capabilities::new(Duration::from_micros(1)).with_all([
            Capability::Shared,
            Capability::SeveralKeys,
            Capability::MinHold,
        ])
    }

    fn runtime(&self) -> &Runtime {
        &self.inner.runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        None
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        None
    }
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackend")
            .field("target", &self.inner.target)
            .field("names", &self.inner.names)
            .finish_non_exhaustive()
    }
}
