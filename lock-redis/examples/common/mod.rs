//! What the recipes share: the command line, lockers in memory or on a Redis, and the last line.
#![allow(dead_code, reason = "each recipe uses a part of it")]

use std::{
    error::Error,
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clap::Parser;
use leasehold::{Config, LockBackend, Locker, Runtime, fenced::FencedStore, timeout_at};
use leasehold_memory::{FencedMemory, MemoryBackend};
use leasehold_redis::{FencedRedis, RedisBackend, RedisConfig};

/// How long a recipe may take; each ends within seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// What keeps a recipe from its end.
pub(crate) type Problem = Box<dyn Error + Send + Sync>;

/// Runs in memory unless told otherwise; its last line says how it went.
///
/// Exit status: 0 if what the recipe promises held, 1 if not, 2 if it could not be run.
#[derive(Debug, Parser)]
struct Args {
    /// Take the locks on this Redis or Valkey: redis://[user:password@]host:port[/db]
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
}

/// Where a recipe runs. Each of its lockers stands for a process.
pub(crate) struct Place {
    server: Server,
    runtime: Runtime,
    lockers: Mutex<Vec<Locker>>,
}

enum Server {
    Memory(Arc<MemoryBackend>),
    Redis(Box<RedisConfig>),
}

impl Place {
    async fn open(args: Args) -> Result<Self, Problem> {
        let runtime = Runtime::tokio();
        let server = match args.redis {
            None => Server::Memory(Arc::new(MemoryBackend::with_runtime(runtime.clone()))),
            Some(url) => {
                // Random, so that two runs do not meet. The quarantine after a restart is off, so that the recipe
                // runs on a server which has just been started: a program of yours leaves it on.
                let prefix = format!("recipe:{}", runtime.lease_id().expose_hex());
                let config = RedisBackend::builder(url).prefix(prefix).without_quarantine();
                config.clone().connect().await?;
                Server::Redis(Box::new(config))
            }
        };
        Ok(Self { server, runtime, lockers: Mutex::default() })
    }

    /// Another connection to the locks.
    pub(crate) async fn backend(&self) -> Result<Arc<dyn LockBackend>, Problem> {
        Ok(match &self.server {
            Server::Memory(backend) => Arc::<MemoryBackend>::clone(backend),
            Server::Redis(config) => Arc::new(RedisConfig::clone(config).connect().await?),
        })
    }

    /// What a process of this name takes its locks with.
    pub(crate) async fn locker(&self, name: &str) -> Result<Locker, Problem> {
        self.locker_on(self.backend().await?, name)
    }

    /// The same, over this backend.
    pub(crate) fn locker_on(
        &self,
        backend: Arc<dyn LockBackend>,
        name: &str,
    ) -> Result<Locker, Problem> {
        let locker = Locker::from_arc(backend, Config::builder().label(name).build()?);
        locked(&self.lockers).push(locker.clone());
        Ok(locker)
    }

    /// A store that refuses a holder who comes too late.
    pub(crate) async fn store(&self) -> Result<Arc<dyn FencedStore>, Problem> {
        Ok(match &self.server {
            Server::Memory(_) => Arc::new(FencedMemory::new()),
            Server::Redis(config) => {
                Arc::new(FencedRedis::connect(RedisConfig::clone(config)).await?)
            }
        })
    }

    async fn close(self) {
        let lockers = std::mem::take(&mut *locked(&self.lockers));
        for locker in lockers {
            let _what_is_left_expires = locker.shutdown(Duration::from_secs(5)).await;
        }
    }
}

/// Runs a recipe, which returns what it found to hold, and says so in the last line.
pub(crate) fn run(recipe: impl AsyncFnOnce(&Place) -> Result<String, Problem>) -> ExitCode {
    let args = Args::parse();
    let threads = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(threads) => threads,
        Err(error) => return say(2, format_args!("could not be run: {error}")),
    };
    threads.block_on(async {
        let place = match Place::open(args).await {
            Ok(place) => place,
            Err(error) => return say(2, format_args!("could not be run: {error}")),
        };
        let deadline = place.runtime.now() + PATIENCE;
        let outcome = timeout_at(place.runtime.clock(), deadline, recipe(&place)).await;
        let outcome = outcome.unwrap_or_else(|| Err(format!("no end within {PATIENCE:?}").into()));
        place.close().await;
        match outcome {
            Ok(held) => say(0, format_args!("ok: {held}")),
            Err(problem) => say(1, format_args!("failed: {problem}")),
        }
    })
}

fn say(status: u8, line: impl Display) -> ExitCode {
    let _stdout_may_be_closed = writeln!(io::stdout(), "{line}");
    ExitCode::from(status)
}

/// Work that takes its time.
pub(crate) async fn work(locker: &Locker, millis: u64) {
    locker.runtime().sleep(Duration::from_millis(millis)).await;
}

/// An invariant of the recipe.
pub(crate) fn ensure(holds: bool, otherwise: impl Display) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(otherwise.to_string().into()) }
}

/// Locks a mutex of this process, also after a panic.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
