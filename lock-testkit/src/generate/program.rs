//! Programs as values.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What some clients do with some locks, and when: everything about a run but the backend.
///
/// Its text form is one line that a shell takes in single quotes, and the form in which it is
/// serialized; two runs of one program on one backend of this process are the same, byte for byte.
///
/// ```
/// use leasehold_testkit::generate::Program;
///
/// let text = "try a x 20ms; +20ms extend 1 20ms | +5ms wait a x 20ms 40ms cut 10ms";
/// let program: Program = text.parse()?;
/// assert_eq!(program.clients.len(), 2);
/// assert_eq!(program.to_string(), text);
/// # Ok::<(), leasehold_testkit::generate::ParseProgramError>(())
/// ```
///
/// | Step | What it does |
/// |---|---|
/// | `try KEYS MODE TTL` | one attempt, under a fresh id; `hold TIME` after it asks for a minimum hold |
/// | `wait KEYS MODE TTL FOR` | waits in the queue for this long |
/// | `again LEASE`, `again LEASE FOR` | asks for the same as the acquire of that lease, under its id, once or waiting; `other` after it: in another mode |
/// | `extend LEASE TTL`, `release LEASE` | on each key of the lease |
/// | `look KEY`, `revoke KEY` | inspects, revokes |
///
/// `KEYS` are letters; `MODE` is `x` (exclusive), `s` (shared), `s3` (shared, limit 3), with `*2` for two permits. `LEASE`
/// is the number of a client (from 1), for what it asked for last; each `-` after it goes one further back, and
/// what is not there is an id that nobody ever asked for. `+TIME` before a step is how long
/// the client thinks first, `cut TIME` behind it drops the call after so long.
/// `link SEED DELAY LOSS /` before all clients is a slow connection: each message takes up to `DELAY`, and `LOSS` of a
/// thousand are lost. `order SEED /` decides who runs first among those who can.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Program {
    /// Which of the clients that can run at an instant runs first: 0 for first come first served, else a seed.
    pub order: u64,
    /// The clients' connections; `None` for no latency at all.
    pub link: Option<Link>,
    /// The steps of each client, one after the other.
    pub clients: Vec<Vec<Step>>,
}

/// Connections that delay and lose messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Decides the delays and the losses.
    pub seed: u64,
    /// A message takes from nothing up to this.
    pub delay: Duration,
    /// How many of a thousand messages are lost, requests and replies alike.
    pub loss: u16,
}

/// One step of a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// How long the client waits before it.
    pub think: Duration,
    /// What it does.
    pub action: Action,
    /// After how long it drops the call, if it is not over by then.
    pub cut: Option<Duration>,
}

/// What a client does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// One attempt under a fresh id.
    Try(Ask),
    /// Waits under a fresh id, for so long.
    Wait(Ask, Duration),
    /// Asks again as that lease was asked for.
    Again {
        /// Which lease.
        lease: LeaseRef,
        /// How long it waits; `None` for one attempt.
        wait: Option<Duration>,
        /// Whether it asks for another mode than before.
        other: bool,
    },
    /// Extends that lease on each of its keys.
    Extend(LeaseRef, Duration),
    /// Releases that lease on each of its keys.
    Release(LeaseRef),
    /// Inspects the key of this letter.
    Look(u8),
    /// Revokes the key of this letter.
    Revoke(u8),
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// The keys, one bit each: 1 is `a`, 2 is `b`, …
    pub keys: u8,
    /// With whom it shares them.
    pub sharing: Sharing,
    /// How many permits it takes.
    pub permits: u32,
    /// For how long.
    pub ttl: Duration,
    /// The minimum hold; zero for none.
    pub hold: Duration,
}

/// With whom a lease shares its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Nobody.
    Exclusive,
    /// Other shared leases.
    Shared,
    /// Other shared leases, up to this many permits.
    Limit(u32),
}

/// A lease, by who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseRef {
    /// The client, from 0.
    pub client: usize,
    /// How many it asked for since.
    pub back: usize,
}

impl Program {
    /// The letters of the keys that it names, one bit each.
    #[must_use]
    pub fn keys(&self) -> u8 {
        self.steps().fold(0, |keys, step| {
            keys | match &step.action {
                Action::Try(ask) | Action::Wait(ask, _) => ask.keys,
                Action::Look(key) | Action::Revoke(key) => 1 << key,
                Action::Again { .. } | Action::Extend(..) | Action::Release(_) => 0,
            }
        })
    }

    /// The longest time for which a lease may live on after the last step.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let ttl = |step: &Step| match &step.action {
            Action::Try(ask) | Action::Wait(ask, _) => ask.ttl.max(ask.hold),
            Action::Extend(_, ttl) => *ttl,
            _ => Duration::ZERO,
        };
        self.steps().map(ttl).max().unwrap_or_default()
    }

    /// All steps of all clients.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.clients.iter().flatten()
    }
}
