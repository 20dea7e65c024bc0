//! What a server says of itself.

use std::time::Duration;

use leasehold::{Result, Runtime, runtime::wall_clock};
use redis::Value;

use crate::{connect::Link, reply};

/// What the checks go by. Each is `None` where it could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Why this version is not served.
    pub(super) unserved: Option<String>,
    pub(super) cluster: bool,
    pub(super) replica: bool,
    pub(super) maxmemory: Option<u64>,
    pub(super) maxmemory_policy: Option<String>,
    pub(super) appends: Option<bool>,
    /// How often the append-only file is synced; needs `CONFIG GET`.
    pub(super) append_sync: Option<String>,
    /// When snapshots are taken, empty for never; needs `CONFIG GET`.
    pub(super) snapshots: Option<String>,
    pub(super) replicas: u32,
    /// Whether writes need a replica that keeps up.
    pub(super) min_replicas: bool,
    /// By how much the server's wall clock is ahead of ours (or behind), at the least.
    pub(super) clock: Option<Offset>,
    /// Whether a restart without data, or a lagging replica, is waited out.
    pub(super) quarantine: Option<Duration>,
}

/// How far apart two clocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offset {
    Ahead(Duration),
    Behind(Duration),
}

impl Facts {
    /// What `INFO` alone says: every user of locks may read it.
    pub(super) async fn from_info(link: &mut Link, quarantine: Option<Duration>) -> Result<Self> {
        let mut info = String::new();
        for section in ["server", "memory", "persistence", "replication", "cluster"] {
            let answer = link.command(redis::cmd("INFO").arg(section)).await?;
            info.push_str(reply::text(&answer).unwrap_or_default());
        }
        Ok(Self { quarantine, ..Self::read(&info) })
    }

    fn read(info: &str) -> Self {
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        Self {
            unserved: crate::connect::check_server(info).err().map(|error| error.to_string()),
            cluster: field("cluster_enabled") == Some("1"),
            replica: field("role") == Some("slave"),
            maxmemory: field("maxmemory").and_then(|bytes| bytes.parse().ok()),
            maxmemory_policy: field("maxmemory_policy").map(str::to_owned),
            appends: field("aof_enabled").map(|enabled| enabled == "1"),
            replicas: field("connected_slaves").and_then(|it| it.parse().ok()).unwrap_or(0),
            // It is only shown where a minimum is set.
            min_replicas: field("min_slaves_good_slaves").is_some(),
            ..Self::default()
        }
    }

    /// What only `CONFIG GET` says.
    pub(super) async fn add_settings(&mut self, link: &mut Link) {
        self.append_sync = setting(link, "appendfsync").await;
        self.snapshots = setting(link, "save").await;
    }

    /// How the server's clock compares with ours. What the network may have taken is not held against it.
    pub(super) async fn add_clock(&mut self, link: &mut Link, runtime: &Runtime) {
        let (sent, before) = (runtime.now(), wall_clock());
        let Ok(answer) = link.command(&redis::cmd("TIME")).await else {
            return;
        };
        let after = before + runtime.now().since(sent);
        if let Value::Array(parts) = &answer
            && let [Some(seconds), Some(micros)] =
                [0, 1].map(|at| parts.get(at).and_then(reply::number))
        {
            let server = Duration::from_secs(seconds) + Duration::from_micros(micros);
            self.clock = Some(if server > after {
                Offset::Ahead(server - after)
            } else {
                Offset::Behind(before.saturating_sub(server))
            });
        }
    }
}

async fn setting(link: &mut Link, name: &str) -> Option<String> {
    let answer = link.command(redis::cmd("CONFIG").arg("GET").arg(name)).await.ok()?;
    let words: Vec<_> = match &answer {
        Value::Array(words) => words.iter().filter_map(reply::text).collect(),
        Value::Map(pairs) => {
            let flat = pairs.iter().flat_map(|(name, value)| [name, value]);
            flat.filter_map(reply::text).collect()
        }
        _ => return None,
    };
    words.get(1).map(|&value| value.to_owned())
}
