//! Which life of the server's data this is, and how far it may be believed.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use leasehold::{Clock, Effect, Error, ErrorKind, Result, Timestamp, observe};
use redis::aio::MultiplexedConnection;

use crate::{error, key::Keyspace};

/// The mark of a client that asks for none.
pub(crate) const NO_MARK: &str = "------------------------";
/// How long what was learnt is used before a script looks at the server again. On the same connection it is the same process;
/// only a demotion and a promotion within this time would go unseen.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long it is remembered since when a server was seen in an epoch.
const REMEMBERED_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// One life of a server's data: a process (`run_id`) under a replication history (`master_replid`).
#[derive(Debug)]
pub(crate) struct Epoch {
    mark: String,
    /// From when on a record without a mark may be believed, in µs of the server's clock.
    missing: u64,
    /// From when on a record of another epoch may be believed.
    different: u64,
    /// Whether both times have come.
    settled: AtomicBool,
    /// When a script last looked, in ns of the local clock.
    looked: AtomicU64,
}

impl Epoch {
    /// No quarantine: every record is believed.
    pub(crate) fn unasked() -> Self {
        Self {
            mark: NO_MARK.to_owned(),
            missing: 0,
            different: 0,
            settled: AtomicBool::new(true),
            looked: AtomicU64::new(u64::MAX),
        }
    }

    /// Asks the server. Every lease that an earlier life can have granted is over `quarantine` after this one began.
    ///
    /// It began no later than when a client first saw it, which is kept under a name of this epoch; and if the server was
    /// never promoted, no later than when its process started.
    pub(crate) async fn learn(
        connection: &mut MultiplexedConnection,
        names: &Keyspace,
        quarantine: Duration,
        now: Timestamp,
    ) -> Result<Self> {
        let (server, replication, time): (String, String, (u64, u64)) = redis::pipe()
            .cmd("INFO")
            .arg("server")
            .cmd("INFO")
            .arg("replication")
            .cmd("TIME")
            .query_async(connection)
            .await
            .map_err(error::connecting)?;
        let facts = Facts::read(&server, &replication).ok_or_else(|| {
            let message = "the server's INFO does not say which life of its data this is";
            Error::new(ErrorKind::Unsupported, Effect::None, message)
        })?;
        let time = time.0 * 1_000_000 + time.1;
        let first_seen = first_seen(connection, &names.epoch(&facts.mark), time).await;
        let quarantine = u64::try_from(quarantine.as_micros()).unwrap_or(u64::MAX);
        let different = first_seen.saturating_add(quarantine);
        let began = if facts.promoted { first_seen } else { first_seen.min(facts.started(time)) };
        let missing = began.saturating_add(quarantine);
        let settled = time >= different && time >= missing;
        let left = Duration::from_micros(missing.saturating_sub(time));
        observe::backend::quarantine(left);
        if time < missing {
            tracing::warn!(
                ?left,
                promoted = facts.promoted,
                "the server may have lost data: keys it does not know are in quarantine"
            );
        }
        Ok(Self {
            mark: facts.mark,
            missing,
            different,
            settled: AtomicBool::new(settled),
            looked: AtomicU64::new(now.as_nanos()),
        })
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// What a granting script is to be told: nothing if all is well known.
    pub(crate) fn trust(&self, clock: &dyn Clock) -> String {
        if self.mark == NO_MARK {
            return String::new();
        }
        let now = clock.now();
        let looked = self.looked.load(Ordering::Relaxed);
        let stale = now.as_nanos().saturating_sub(looked) > nanos(LOOK_AGAIN);
        // One of those that find it stale looks.
        let look = stale
            && self
                .looked
                .compare_exchange(looked, now.as_nanos(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if !look && self.settled.load(Ordering::Relaxed) {
            return String::new();
        }
        format!("{} {} {}", self.missing, self.different, if look { "v" } else { "" })
    }

    /// How much longer nothing is granted of which the server knows nothing, at this time on its clock.
    pub(crate) fn left(&self, now: u64) -> Duration {
        Duration::from_micros(self.missing.saturating_sub(now))
    }

    /// The server's clock was seen to show this.
    pub(crate) fn saw(&self, server: u64) {
        let over = server >= self.missing && server >= self.different;
        if over && !self.settled.load(Ordering::Relaxed) {
            self.settled.store(true, Ordering::Relaxed);
            observe::backend::quarantine_over();
        }
    }

    /// What was learnt may be over: the next script looks again.
    pub(crate) fn doubt(&self) {
        if self.mark != NO_MARK {
            self.looked.store(0, Ordering::Relaxed);
        }
    }
}

/// Since when this epoch was seen; now if this is the first time, or if it can't be kept (on a replica, or without memory).
async fn first_seen(connection: &mut MultiplexedConnection, name: &str, now: u64) -> u64 {
    let kept: redis::RedisResult<(redis::Value, String, redis::Value)> = redis::pipe()
        .cmd("SET")
        .arg(name)
        .arg(now)
        .arg("NX")
        .arg("PX")
        .arg(REMEMBERED_MS)
        .cmd("GET")
        .arg(name)
        .cmd("PEXPIRE")
        .arg(name)
        .arg(REMEMBERED_MS)
        .query_async(connection)
        .await;
    let kept = kept.ok().and_then(|(_, first, _)| first.parse().ok());
    kept.unwrap_or(now).min(now)
}

#[derive(Debug, PartialEq, Eq)]
struct Facts {
    mark: String,
    uptime: u64,
    promoted: bool,
}

impl Facts {
    fn read(server: &str, replication: &str) -> Option<Self> {
        let run_id = field(server, "run_id")?;
        let replid = field(replication, "master_replid")?;
        Some(Self {
            mark: format!("{}{}", run_id.get(..12)?, replid.get(..12)?),
            uptime: field(server, "uptime_in_seconds")?.parse().ok()?,
            promoted: field(replication, "second_repl_offset")? != "-1",
        })
    }

    /// The latest instant at which the process can have started: both numbers are whole seconds.
    const fn started(&self, now: u64) -> u64 {
        (now / 1_000_000 + 1).saturating_sub(self.uptime) * 1_000_000
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
