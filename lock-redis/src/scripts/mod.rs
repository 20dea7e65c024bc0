//! The scripts: one per operation, put together from parts that are written once.

use std::time::Duration;

use redis::Script as Hashed;

/// So many waiters one script looks at, at the most: it must not keep the server from others.
const GRANTS_PER_SCRIPT: &str = "64";

/// Within this stretch of the server's clock a record's time to live is renewed once (see `acquire_fast.lua`).
const RENEWED_WITHIN: Duration = Duration::from_secs(1_000);

/// The parts, in the order in which they build on each other.
mod part {
    pub(super) const CLOCK: &str = include_str!("clock.lua");
    pub(super) const RECORD: &str = include_str!("record.lua");
    pub(super) const LEASE: &str = include_str!("lease.lua");
    pub(super) const QUEUE: &str = include_str!("queue.lua");
    pub(super) const EPOCH: &str = include_str!("epoch.lua");
    pub(super) const ACQUIRE_FAST: &str = include_str!("acquire_fast.lua");
    pub(super) const ACQUIRE: &str = include_str!("acquire.lua");
    pub(super) const EXTEND: &str = include_str!("extend.lua");
    pub(super) const RELEASE_FAST: &str = include_str!("release_fast.lua");
    pub(super) const RELEASE: &str = include_str!("release.lua");
    pub(super) const INSPECT: &str = include_str!("inspect.lua");
    pub(super) const FENCED: &str = include_str!("fenced.lua");
    pub(super) const REVOKE: &str = include_str!("revoke.lua");
    pub(super) const DOWNGRADE: &str = include_str!("downgrade.lua");
}

/// An operation that is a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Acquire,
    Extend,
    Release,
    Inspect,
    Revoke,
    Downgrade,
    Fenced,
}

/// What a script may do where the server asks (Redis 7 and later).
#[derive(Clone, Copy)]
enum Flags {
    /// Refused as a whole when memory is short: a grant must not be half written.
    Writes,
    /// Goes on when memory is short: what ends or keeps a lease needs next to none. A read too, rather than
    /// `no-writes`, which a replica would answer from what it has.
    EvenWithoutMemory,
}

impl Flags {
    const fn header(self) -> &'static str {
        match self {
            Self::Writes => "#!lua\n",
            Self::EvenWithoutMemory => "#!lua flags=allow-oom\n",
        }
    }

    /// The same where there are no flags: a write that changes nothing. A replica refuses it, instead of answering from what
    /// it has; and whether a script may go on without memory is decided by its first write.
    const fn without_header(self) -> &'static str {
        match self {
            Self::Writes => "redis.call('SETRANGE', KEYS[1] .. ':-', '0', '')\n",
            Self::EvenWithoutMemory => "redis.call('DEL', KEYS[1] .. ':-')\n",
        }
    }
}

/// A script and the digest under which the server keeps it.
#[derive(Debug)]
pub(crate) struct Script {
    source: String,
    sha: String,
}

impl Script {
    fn assemble(head: &str, parts: &[&str], settings: &Settings) -> Self {
        let keep = (settings.retention + RENEWED_WITHIN).as_millis().to_string();
        let tombstone = settings.tombstone_ttl.as_micros().to_string();
        let mut source = head.to_owned();
        for part in parts {
            source.push_str(
                &part
                    .replace("{{keep}}", &keep)
                    .replace("{{tombstone}}", &tombstone)
                    .replace("{{grants}}", GRANTS_PER_SCRIPT),
            );
        }
        let sha = Hashed::new(&source).get_hash().to_owned();
        Self { source, sha }
    }

    /// The whole text.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Its digest.
    pub(crate) fn sha(&self) -> &str {
        &self.sha
    }
}

/// What is written into the scripts.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How long a key's record stays at the least.
    pub(crate) retention: Duration,
    /// How long an id that was given up is remembered.
    pub(crate) tombstone_ttl: Duration,
    /// Stands in for the part that reads the server's clock: tests put a given time there.
    pub(crate) clock: Option<String>,
    /// Whether the usual cases are decided by comparing text. Without, everything takes the general way: tests compare.
    pub(crate) fast_paths: bool,
}

/// All scripts, for one kind of server.
#[derive(Debug)]
pub(crate) struct Scripts {
    acquire: Script,
    extend: Script,
    release: Script,
    inspect: Script,
    revoke: Script,
    downgrade: Script,
    fenced: Script,
}

impl Scripts {
    /// The scripts for servers that know script flags (`flags`: from version 7 on), or for those that do not.
    pub(crate) fn new(settings: &Settings, flags: bool) -> Self {
        use part::{EPOCH, LEASE, QUEUE, RECORD};

        let clock = settings.clock.as_deref().unwrap_or(part::CLOCK);
        let of = |means: Flags, parts: &[&str]| {
            let head = if flags { means.header() } else { means.without_header() };
            Script::assemble(head, parts, settings)
        };
        let script = |means: Flags, fast: &str, shared: &[&str], body: &str| {
            let fast = if settings.fast_paths { fast } else { "" };
            of(means, &[&[clock, fast, RECORD, LEASE], shared, &[body]].concat())
        };
        let all = [QUEUE, EPOCH];
        let anyway = Flags::EvenWithoutMemory;
        Self {
            acquire: script(Flags::Writes, part::ACQUIRE_FAST, &all, part::ACQUIRE),
            extend: script(anyway, "", &[], part::EXTEND),
            release: script(anyway, part::RELEASE_FAST, &all, part::RELEASE),
            inspect: script(anyway, "", &[QUEUE], part::INSPECT),
            revoke: script(anyway, "", &all, part::REVOKE),
            downgrade: script(Flags::Writes, "", &all, part::DOWNGRADE),
            fenced: of(Flags::Writes, &[clock, part::FENCED]),
        }
    }

    pub(crate) const fn get(&self, op: Op) -> &Script {
        match op {
            Op::Acquire => &self.acquire,
            Op::Extend => &self.extend,
            Op::Release => &self.release,
            Op::Inspect => &self.inspect,
            Op::Revoke => &self.revoke,
            Op::Downgrade => &self.downgrade,
            Op::Fenced => &self.fenced,
        }
    }
}
