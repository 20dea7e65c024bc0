//! Scenarios: what must happen, and when.
//!
//! That nothing forbidden happened is not enough: a backend that never wakes anybody has histories without
//! a flaw. Each scenario is a short run on a virtual clock in which something good must happen in time.

mod cases;

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use leasehold::{
    Acquire, AcquireRequest, Grant, LeaseId, LockBackend, LockKey, Mode, Release, Runtime,
    Timestamp, TryAcquire, Ttl, VirtualClock,
};

use crate::generate::run_until_done;

/// How long after a key became free a waiter may still wait if a message was lost: a ticket and one refresh.
const PATIENCE: Duration = Duration::from_secs(4);

/// A short run in which something good must happen in time.
#[derive(Clone, Copy)]
pub struct Scenario {
    name: &'static str,
    guarantee: &'static str,
    run: fn(World) -> BoxFuture<'static, Told>,
}

/// Nothing, or what was wrong.
type Told = Result<(), String>;

impl Scenario {
    /// Every scenario there is.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        cases::ALL
    }

    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|scenario| scenario.name == name)
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The guarantee that it shows.
    #[must_use]
    pub const fn guarantee(&self) -> &'static str {
        self.guarantee
    }

    /// Plays it on the backend that `start` makes; it lives in this process and on the given runtime.
    ///
    /// # Errors
    /// What did not happen, or not in time.
    pub fn play<B: LockBackend>(&self, start: impl FnOnce(Runtime) -> B) -> Result<(), String> {
        let (runtime, clock) = Runtime::manual(0);
        let world = World { backend: Arc::new(start(runtime)) };
        run(&clock, (self.run)(world)).unwrap_or_else(|| Err("it never ends".to_owned()))
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

fn run<T: Send>(clock: &VirtualClock, future: BoxFuture<'_, T>) -> Option<T> {
    let mut outcome = None;
    let task = async { outcome = Some(future.await) };
    run_until_done(clock, 0, vec![Box::pin(task)]).ok()?;
    outcome
}

/// The backend under test, and short words for using it.
#[derive(Clone, Debug)]
struct World {
    backend: Arc<dyn LockBackend>,
}

impl World {
    fn now(&self) -> Timestamp {
        self.backend.runtime().now()
    }

    async fn pass(&self, millis: u64) {
        self.backend.runtime().sleep(ms(millis)).await;
    }

    /// The request `number` of this client, for these keys, for a minute.
    fn ask(&self, client: u8, number: u8, keys: &[&str]) -> Result<AcquireRequest, String> {
        let mut bytes = [7; 16];
        (bytes[11], bytes[15]) = (client, number);
        let keys = keys.iter().map(LockKey::new).collect::<Result<Vec<_>, _>>().map_err(said)?;
        let ttl = Ttl::new(Duration::from_secs(60)).map_err(said)?;
        AcquireRequest::for_keys(keys, LeaseId::from_bytes(bytes), ttl).map_err(said)
    }

    fn ask_for(&self, client: u8, millis: u64, keys: &[&str]) -> Result<AcquireRequest, String> {
        let ttl = Ttl::new(ms(millis)).map_err(said)?;
        let long = self.ask(client, 1, keys)?;
        AcquireRequest::for_keys(long.keys().to_vec(), long.id(), ttl).map_err(said)
    }

    async fn take(&self, request: &AcquireRequest) -> Result<Grant, String> {
        match self.backend.try_acquire(request).await.map_err(said)? {
            TryAcquire::Granted(grant) => Ok(grant),
            TryAcquire::Held(held) => Err(format!("a free key is held: {held}")),
        }
    }

    /// Waits at most so long; the grant, and when it was heard of.
    async fn wait(
        &self,
        request: &AcquireRequest,
        millis: u64,
    ) -> Result<Option<(Grant, Timestamp)>, String> {
        let deadline = self.now() + ms(millis);
        match self.backend.acquire(request, deadline).await.map_err(said)? {
            Acquire::Granted(grant) => Ok(Some((grant, self.now()))),
            Acquire::TimedOut(_) => Ok(None),
        }
    }

    async fn give_back(&self, request: &AcquireRequest) -> Told {
        for key in request.keys() {
            let released = self.backend.release(key, request.id()).await.map_err(said)?;
            ensure(released == Release::Released, "a lease was lost")?;
        }
        Ok(())
    }
}

fn shared(request: AcquireRequest) -> Result<AcquireRequest, String> {
    request.with_mode(Mode::READ, 1).map_err(said)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn said(error: leasehold::Error) -> String {
    error.to_string()
}

fn ensure(holds: bool, message: &str) -> Told {
    if holds { Ok(()) } else { Err(message.to_owned()) }
}

/// Whether a wait was granted, and soon after `free`.
fn in_time(granted: Option<(Grant, Timestamp)>, free: Timestamp) -> Told {
    let Some((_, heard)) = granted else {
        return Err("a waiter timed out although the key was free".to_owned());
    };
    let late = heard.since(free);
    ensure(
        late <= PATIENCE,
        &format!("a waiter heard of its grant {late:?} after the key was free"),
    )
}
