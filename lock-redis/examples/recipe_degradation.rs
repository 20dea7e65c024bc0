//! Recipe: what a service does while the lock server is away.
//!
//! What is wrong in the usual recipe: "if the lock can't be taken, work without it" (a decorator that does so when it
//! finds no lock service is the same in disguise). Just when the server is away, every process comes to that
//! line, and all of them work at once. Nor is an outage contention: "skip, somebody else does it" is wrong when nobody
//! can.
//!
//! | | While the server is away |
//! |---|---|
//! | changes | fail closed: the caller is told to come again, and how sure it is that nothing happened |
//! | reads | are served from what was last known, and say how old it is |
//! | work without the lock | never |
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_degradation
//! ```

mod common;
#[path = "common/outage.rs"]
mod outage;

use std::{
    fmt,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use common::{Place, Problem, ensure, locked};
use leasehold::{Effect, Error, Locker, with_lock};
use outage::Outage;

fn main() -> ExitCode {
    common::run(recipe)
}

/// What the caller of a change is told.
#[derive(Debug)]
enum ChangeError {
    /// Come again later; with `Effect::Unknown`, look first whether it happened.
    Later(Effect),
    /// Somebody else is changing it.
    Busy,
    /// Coming again does not help.
    Failed(Error),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(Effect::None) => f.write_str("nothing was changed: come again later"),
            Self::Later(Effect::Unknown) => f.write_str("it may have been changed: look first"),
            Self::Busy => f.write_str("somebody else is changing it"),
            Self::Failed(error) => write!(f, "it can't be changed: {error}"),
        }
    }
}

impl std::error::Error for ChangeError {}

impl From<Error> for ChangeError {
    fn from(error: Error) -> Self {
        if error.is_timeout() {
            Self::Busy
        } else if error.is_retryable() || error.is_lease_lost() {
            Self::Later(error.effect())
        } else {
            Self::Failed(error)
        }
    }
}

/// What a reader gets.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Price {
    cents: u32,
    /// Whether it may have changed since, without our knowing.
    stale: bool,
}

struct Prices {
    locker: Locker,
    away: Arc<AtomicBool>,
    cents: AtomicU32,
    last_known: Mutex<u32>,
    bodies: AtomicU32,
    without_lock: AtomicU32,
}

impl Prices {
    #[with_lock(locker = self.locker, key = "price:umbrella", ttl = "10s", wait = "1s", lease = lease)]
    async fn change(&self, cents: u32) -> Result<(), ChangeError> {
        self.bodies.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) || !lease.is_valid() {
            self.without_lock.fetch_add(1, Ordering::SeqCst);
        }
        self.cents.store(cents, Ordering::SeqCst);
        Ok(())
    }

    /// Reads under the lock while it can; an outage makes the answer older, never wrong without saying so.
    async fn read(&self) -> Result<Price, Error> {
        let request = self.locker.lock("price:umbrella").wait(Duration::from_secs(1));
        match request.with(async |_| self.cents.load(Ordering::SeqCst)).await {
            Ok(cents) => {
                *locked(&self.last_known) = cents;
                Ok(Price { cents, stale: false })
            }
            Err(error) if error.is_retryable() => {
                Ok(Price { cents: *locked(&self.last_known), stale: true })
            }
            Err(error) => Err(error),
        }
    }
}

async fn recipe(place: &Place) -> Result<String, Problem> {
    let away = Arc::new(AtomicBool::new(false));
    let backend = Outage { inner: place.backend().await?, away: Arc::clone(&away) };
    let prices = Prices {
        locker: place.locker_on(Arc::new(backend), "shop")?,
        away: Arc::clone(&away),
        cents: AtomicU32::new(0),
        last_known: Mutex::new(0),
        bodies: AtomicU32::new(0),
        without_lock: AtomicU32::new(0),
    };
    prices.change(900).await?;
    let fresh = prices.read().await?;
    ensure(fresh == Price { cents: 900, stale: false }, format_args!("{fresh:?}"))?;

    away.store(true, Ordering::SeqCst);
    let mut refused = 0;
    for cents in 901..911 {
        let outcome = prices.change(cents).await;
        let told = matches!(outcome, Err(ChangeError::Later(Effect::None)));
        ensure(told, format_args!("a change during the outage: {outcome:?}"))?;
        refused += 1;
    }
    let old = prices.read().await?;
    ensure(old == Price { cents: 900, stale: true }, format_args!("{old:?}"))?;

    away.store(false, Ordering::SeqCst);
    prices.change(950).await?;
    let fresh = prices.read().await?;
    ensure(fresh == Price { cents: 950, stale: false }, format_args!("{fresh:?}"))?;

    let bodies = prices.bodies.load(Ordering::SeqCst);
    let without_lock = prices.without_lock.load(Ordering::SeqCst);
    ensure(
        (bodies, without_lock) == (2, 0),
        format_args!("{bodies} bodies, {without_lock} without a lock"),
    )?;
    Ok(format!(
        "{refused} changes refused and a stale price served during the outage, none made without the lock"
    ))
}
