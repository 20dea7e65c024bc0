//! Settings, checked before anything is sent.

mod given;

use std::{fmt, time::Duration};

use leasehold::{Error, Result, Runtime, Ttl};

use crate::{RedisBackend, UnsafeSettings, connect::Dial, key::Keyspace, scripts::Settings};

const MAX_LANES: usize = 16;
const MIN_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Settings of a [`RedisBackend`].
///
/// The defaults suit a server in the same data centre. Everything is checked by [`connect`](Self::connect) (or
/// [`validate`](Self::validate)), whose error names the field, its value and the bound.
///
/// ```no_run
/// use std::time::Duration;
/// use leasehold_redis::RedisBackend;
///
/// # async fn f() -> leasehold::Result<()> {
/// let backend = RedisBackend::builder("redis://127.0.0.1:6379")
///     .prefix("shop")
///     .response_timeout(Duration::from_millis(250))
///     .connect()
///     .await?;
/// # let _ = backend;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until `connect` is called"]
pub struct RedisConfig {
    url: String,
    pub(crate) prefix: String,
    pub(crate) lanes: usize,
    response_timeout: Duration,
    connection_timeout: Duration,
    user_timeout: Duration,
    tombstone_ttl: Option<Duration>,
    retention: Duration,
    pub(crate) ticket_ttl: Duration,
    pub(crate) max_ttl: Duration,
    quarantined: bool,
    quarantine_margin: Duration,
    pub(crate) runtime: Runtime,
    root_certificate: Option<Vec<u8>>,
    clock: Option<String>,
    fast_paths: bool,
    pub(crate) unsafe_settings: UnsafeSettings,
}

impl RedisConfig {
    /// The defaults, for the server at `url`: `redis://`, `rediss://` (feature `tls`), `unix:` or `redis+unix:`,
    /// as the `redis` crate reads them.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "lh".to_owned(),
            lanes: 2,
            response_timeout: Duration::from_millis(500),
            connection_timeout: Duration::from_secs(1),
            user_timeout: Duration::from_secs(5),
            tombstone_ttl: None,
            retention: MIN_RETENTION,
            ticket_ttl: Duration::from_secs(3),
            max_ttl: Duration::from_secs(60),
            quarantined: true,
            quarantine_margin: Duration::from_secs(1),
            runtime: Runtime::default(),
            root_certificate: None,
            clock: None,
            fast_paths: true,
            unsafe_settings: UnsafeSettings::Refuse,
        }
    }

    /// What every name on the server begins with: 1 to 128 letters, digits and `:_.-/`. `lh` unless set.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How many connections the keys are spread over: 1 to 16, 2 unless set. Each carries the commands of all
    /// tasks at once; more of them isolate keys from each other, they make nothing faster.
    pub const fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = lanes;
        self
    }

    /// How long a command may go without an answer before its effect is unknown: 1 ms to 60 s, 500 ms unless set.
    pub const fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long a connection may take to be made: 1 ms to 60 s, 1 s unless set.
    pub const fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// How long sent data may stay unacknowledged, or an idle peer silent, before the kernel gives the
    /// connection up: 1 s to 10 min, 5 s unless set.
    pub const fn user_timeout(mut self, timeout: Duration) -> Self {
        self.user_timeout = timeout;
        self
    }

    /// How long an id that was given up is remembered, so that a late duplicate of its acquire grants to nobody.
    /// At least, and unless set, the response timeout, the user timeout and 5 s together; at most a day.
    pub const fn tombstone_ttl(mut self, ttl: Duration) -> Self {
        self.tombstone_ttl = Some(ttl);
        self
    }

    /// How long a key's last token outlives its last lease: from 24 h (unless set) to 30 days. After that, the server's
    /// clock alone keeps tokens growing.
    pub const fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// How long a waiter that nobody hears of keeps its place: 100 ms to 60 s, 3 s unless set. Each waiter asks again
    /// three times as often. A waiter that stopped delays a key by at most this and one ttl.
    pub const fn ticket_ttl(mut self, ttl: Duration) -> Self {
        self.ticket_ttl = ttl;
        self
    }

    /// The longest ttl, on which the quarantine stands: 1 ms to 30 days, 60 s unless set. All clients of a prefix must
    /// agree. Without quarantine there is no such limit.
    pub const fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// How much longer than the longest ttl (and 2 % of it) the quarantine lasts: up to 1 h, 1 s unless set. It covers by
    /// how far a server that takes over may be behind the clock of the one before, and for how long that one may go on.
    pub const fn quarantine_margin(mut self, margin: Duration) -> Self {
        self.quarantine_margin = margin;
        self
    }

    /// Grants at once, also on a server that may have lost data.
    ///
    /// After a restart without its data, or the promotion of a replica that lagged behind, two clients can then hold
    /// one key, and tokens can go back if the server's clock did. For servers that lose nothing, and for tests.
    pub const fn without_quarantine(mut self) -> Self {
        self.quarantined = false;
        self
    }

    /// What to do about a server that throws locks away when memory is short (a `maxmemory-policy` other than
    /// `noeviction`): [`Refuse`](UnsafeSettings::Refuse) to connect unless set. Looked at once, when connecting; see
    /// [`RedisBackend::preflight`] for everything that can be wrong with a server.
    pub const fn unsafe_settings(mut self, policy: UnsafeSettings) -> Self {
        self.unsafe_settings = policy;
        self
    }

    /// Clock, randomness and tasks; tokio's unless set. A real server goes by real time: don't pause or turn this
    /// clock while one is connected.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }

    /// The certificate, in PEM form, that signs the server's, for `rediss://`. The web's usual roots unless set.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// Lua that stands in for the reading of the server's clock: it must set `now`, the µs in 16 digits. For tests that
    /// give the scripts a time; every client of a prefix must do the same.
    #[doc(hidden)]
    pub fn script_clock(mut self, lua: impl Into<String>) -> Self {
        self.clock = Some(lua.into());
        self
    }

    /// Takes the fast paths out of the scripts. For tests: the answers must not change.
    #[doc(hidden)]
    pub const fn without_fast_paths(mut self) -> Self {
        self.fast_paths = false;
        self
    }

    /// Checks every setting, the url included; connects nowhere.
    ///
    /// # Errors
    /// [`Invalid`](leasehold::ErrorKind::Invalid) naming the field, its value and the bound;
    /// [`Unsupported`](leasehold::ErrorKind::Unsupported) for `rediss://` without the feature `tls`.
    pub fn validate(&self) -> Result<()> {
        Keyspace::new(&self.prefix)?;
        if self.lanes == 0 || self.lanes > MAX_LANES {
            let bound = format!("1 to {MAX_LANES}");
            return Err(Error::invalid("lanes", self.lanes, bound));
        }
        let milli = Duration::from_millis(1);
        let minute = Duration::from_secs(60);
        within("response_timeout", self.response_timeout, milli, minute)?;
        within("connection_timeout", self.connection_timeout, milli, minute)?;
        let second = Duration::from_secs(1);
        within("user_timeout", self.user_timeout, second, minute * 10)?;
        let day = Duration::from_secs(24 * 60 * 60);
        within("tombstone_ttl", self.forget_after(), self.least_tombstone(), day)?;
        within("ticket_ttl", self.ticket_ttl, milli * 100, minute)?;
        within("max_ttl", self.max_ttl, Ttl::MIN.get(), Ttl::MAX.get())?;
        within("quarantine_margin", self.quarantine_margin, Duration::ZERO, minute * 60)?;
        within("retention", self.retention, MIN_RETENTION, Ttl::MAX.get())?;
        crate::connect::check_url(&self.url)
    }

    /// Checks the settings and connects.
    ///
    /// # Errors
    /// As [`validate`](Self::validate) and [`RedisBackend::connect`].
    pub async fn connect(self) -> Result<RedisBackend> {
        RedisBackend::connect_with(self).await
    }

    pub(crate) fn forget_after(&self) -> Duration {
        self.tombstone_ttl.unwrap_or_else(|| self.least_tombstone())
    }

    fn least_tombstone(&self) -> Duration {
        self.response_timeout + self.user_timeout + Duration::from_secs(5)
    }

    /// The longest ttl that certainly ends within the retention.
    pub(crate) fn ordinary_ttl(&self) -> Duration {
        self.kept().saturating_sub(Duration::from_secs(60))
    }

    /// How long nothing is granted that an earlier life of the server may have granted; none without quarantine.
    pub(crate) fn quarantine(&self) -> Option<Duration> {
        let whole = self.max_ttl + self.max_ttl / 50 + self.quarantine_margin;
        self.quarantined.then_some(whole)
    }

    /// The retention, and no less than a longest lease and the quarantine after it.
    fn kept(&self) -> Duration {
        let longest = self.quarantine().map_or(Duration::ZERO, |whole| self.max_ttl + whole);
        self.retention.max(longest)
    }

    pub(crate) fn script_settings(&self) -> Settings {
        Settings {
            retention: self.kept(),
            tombstone_ttl: self.forget_after(),
            clock: self.clock.clone(),
            fast_paths: self.fast_paths,
        }
    }

    pub(crate) fn dial<'a>(&'a self, scripts: &'a Settings, names: &Keyspace) -> Dial<'a> {
        Dial {
            names: names.clone(),
            quarantine: self.quarantine(),
            runtime: self.runtime.clone(),
            url: &self.url,
            root_certificate: self.root_certificate.as_deref(),
            response_timeout: self.response_timeout,
            connection_timeout: self.connection_timeout,
            user_timeout: self.user_timeout,
            scripts,
        }
    }
}

fn within(field: &'static str, value: Duration, least: Duration, most: Duration) -> Result<()> {
    if value >= least && value <= most {
        return Ok(());
    }
    let bound = format!("{least:?} to {most:?}");
    Err(Error::invalid(field, format_args!("{value:?}"), bound))
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("prefix", &self.prefix)
            .field("lanes", &self.lanes)
            .field("response_timeout", &self.response_timeout)
            .field("connection_timeout", &self.connection_timeout)
            .field("user_timeout", &self.user_timeout)
            .field("tombstone_ttl", &self.forget_after())
            .field("retention", &self.retention)
            .field("ticket_ttl", &self.ticket_ttl)
            .field("max_ttl", &self.max_ttl)
            .field("quarantine", &self.quarantine())
            .field("unsafe_settings", &self.unsafe_settings)
            .finish_non_exhaustive()
    }
}
