//! The stock and the lock in a Redis, and several processes that serve the buyers.

mod worker;

use std::{error::Error, io::Write, time::Duration};

use leasehold::{ErrorKind, Runtime};
use leasehold_redis::{RedisBackend, RedisConfig};
use redis::{Commands, Connection, IntoConnectionInfo};

pub(crate) use worker::work;

use crate::{Problem, args::Args, crowd::Tally, report::Round, shares};
use worker::{Job, Worker};

const PATIENCE: Duration = Duration::from_secs(3);

/// A server that was found in order, and a corner of it for this run alone, which is cleared afterwards.
pub(crate) struct Market {
    url: String,
    address: String,
    /// What every name on the server begins with; random, so that nobody else's is touched.
    prefix: String,
    runtime: Runtime,
}

impl Market {
    /// Looks whether everything needed is there.
    pub(crate) fn open(url: &str) -> Result<Self, Problem> {
        let runtime = Runtime::tokio();
        let prefix = format!("oversell:{}", runtime.lease_id().expose_hex());
        lock_settings(url, &prefix)
            .validate()
            .map_err(|error| format!("{error}\n{}", remedy(error.kind())))?;
        let address = url.into_connection_info()?.addr().to_string();
        let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        threads
            .block_on(lock_settings(url, &prefix).connect())
            .map_err(|error| format!("{}\n{}", explain(&address, &error), remedy(error.kind())))?;
        Ok(Self { url: url.to_owned(), address, prefix, runtime })
    }

    /// How the report calls it.
    pub(crate) fn place(&self) -> String {
        format!("{} processes, stock and lock in Redis at {}", crate::WORKERS, self.address)
    }

    /// Opens the shop for one crowd.
    pub(crate) fn round(&self, args: &Args, locked: bool) -> Result<Round, Problem> {
        let stock = stock_name(&self.prefix);
        let mut server = self.connect()?;
        // It expires, should this process be killed before it clears up.
        server
            .set_ex::<_, _, ()>(&stock, args.items, 600)
            .map_err(|error| self.broke_down(&error))?;

        let mut workers = Vec::new();
        for buyers in shares(args.buyers) {
            let (prefix, url) = (self.prefix.clone(), self.url.clone());
            workers.push(Worker::start(&Job { buyers, locked, prefix, url })?);
        }
        for worker in &mut workers {
            worker.wait_until_ready()?;
        }
        let opened = self.runtime.now();
        for worker in &mut workers {
            worker.go()?;
        }
        let mut tally = Tally::default();
        for worker in workers {
            tally.add(worker.finish()?);
        }
        let took = self.runtime.now().since(opened);
        let left = server.get(&stock).map_err(|error| self.broke_down(&error))?;
        Ok(Round { tally, left, took })
    }

    fn broke_down(&self, error: &dyn Error) -> Problem {
        explain(&self.address, error).into()
    }

    fn connect(&self) -> Result<Connection, Problem> {
        let client = redis::Client::open(self.url.as_str())?;
        client.get_connection_with_timeout(PATIENCE).map_err(|error| self.broke_down(&error))
    }

    /// Removes what this run put there: names with its own prefix, nothing else.
    fn clear_up(&self) -> Result<(), Problem> {
        let mut server = self.connect()?;
        let names = server.scan_match(format!("{}:*", self.prefix))?;
        let names = names.collect::<Result<Vec<String>, _>>()?;
        if !names.is_empty() {
            server.unlink::<_, ()>(names)?;
        }
        Ok(())
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        if let Err(problem) = self.clear_up() {
            let _stderr_may_be_closed =
                writeln!(std::io::stderr(), "oversell: left {}:* behind: {problem}", self.prefix);
        }
    }
}

/// What is wrong with the server at this address, down to the first cause. Never the url: it may hold a password.
fn explain(address: &str, error: &dyn Error) -> String {
    let mut text = format!("can't work with the Redis at {address}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let error_text = error.to_string();
        if !text.contains(&error_text) {
            text.push_str(": ");
            text.push_str(&error_text);
        }
        cause = error.source();
    }
    text
}

/// What to do about a server that can't be worked with.
fn remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Denied => {
            "Put a user and password that may read and write into the url: redis://user:password@host:port"
        }
        ErrorKind::Unsupported => {
            "Take Redis 6.2 or newer, or Valkey 7.2 or newer; for rediss:// build with TLS: \
             cargo run -p leasehold-redis --features tls --example oversell"
        }
        ErrorKind::Invalid => "Name a server: --redis redis://[user:password@]host:port[/db]",
        _ => {
            "Start a server (redis-server --port 6379), or name one that runs: --redis redis://host:port"
        }
    }
}

/// The lock's settings, the same in every process.
fn lock_settings(url: &str, prefix: &str) -> RedisConfig {
    // A server that was just started may have lost what it granted before: by default it is not believed for about a
    // minute. Here the prefix is new, so there is nothing to lose, and nobody wants to wait.
    RedisBackend::builder(url).prefix(prefix).without_quarantine()
}

fn stock_name(prefix: &str) -> String {
    format!("{prefix}:stock")
}
