//! One step of a vector, from its text to an operation and what must come of it.

use std::{collections::BTreeMap, time::Duration};

use leasehold::{AcquireRequest, Error, Holder, LeaseId, Limit, LockKey, Mode, Ttl};
use serde::Deserialize;

use super::Operation;

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) operation: Operation,
    pub(super) expect: Expected,
    pub(super) then: Vec<Then>,
    pub(super) state: BTreeMap<LockKey, ExpectedState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    at: u64,
    #[serde(rename = "do")]
    action: Action,
    expect: Expected,
    #[serde(default)]
    then: Vec<Then>,
    #[serde(default)]
    state: BTreeMap<String, ExpectedState>,
}

impl Step {
    pub(super) fn new(raw: RawStep) -> leasehold::Result<Self> {
        let state = raw.state.into_iter();
        Ok(Self {
            at: Duration::from_micros(raw.at),
            operation: raw.action.operation()?,
            expect: raw.expect,
            then: raw.then,
            state: state
                .map(|(key, state)| Ok((LockKey::new(key)?, state)))
                .collect::<leasehold::Result<_>>()?,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    TryAcquire(Ask),
    Acquire(Ask),
    Extend {
        #[serde(default = "default_key")]
        key: String,
        id: String,
        ttl: u64,
    },
    Downgrade {
        #[serde(default = "default_key")]
        key: String,
        id: String,
    },
    Release {
        #[serde(default = "default_key")]
        key: String,
        id: String,
    },
    Revoke {
        #[serde(default = "default_key")]
        key: String,
    },
    Cancel {
        #[serde(default = "default_key")]
        key: String,
        id: String,
    },
    Tick,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    #[serde(default = "default_keys")]
    keys: Vec<String>,
    id: String,
    ttl: u64,
    #[serde(default)]
    mode: RawMode,
    #[serde(default = "one")]
    permits: u32,
    #[serde(default)]
    min_hold: u64,
    deadline: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawMode {
    #[default]
    Exclusive,
    /// Shared without a limit.
    Read,
    /// Shared with this limit.
    Shared(u32),
}

fn default_key() -> String {
    "k".to_owned()
}

fn default_keys() -> Vec<String> {
    vec![default_key()]
}

pub(super) const fn one() -> u32 {
    1
}

impl RawMode {
    pub(super) fn mode(self) -> leasehold::Result<Mode> {
        Ok(match self {
            Self::Exclusive => Mode::Exclusive,
            Self::Read => Mode::READ,
            Self::Shared(limit) => Mode::Shared { limit: Limit::new(limit)? },
        })
    }
}

/// The id with this name: its bytes, filled up with zeros.
pub(super) fn lease_id(name: &str) -> LeaseId {
    let mut bytes = [0; 16];
    for (byte, character) in bytes.iter_mut().zip(name.bytes()) {
        *byte = character;
    }
    LeaseId::from_bytes(bytes)
}

fn ttl(micros: u64) -> leasehold::Result<Ttl> {
    Ttl::new(Duration::from_micros(micros))
}

impl Ask {
    /// The holder is named as the id, so that a reading shows whose lease it is.
    fn request(&self) -> leasehold::Result<AcquireRequest> {
        let keys = self.keys.iter().map(LockKey::new).collect::<leasehold::Result<Vec<_>>>()?;
        AcquireRequest::for_keys(keys, lease_id(&self.id), ttl(self.ttl)?)?
            .with_mode(self.mode.mode()?, self.permits)?
            .with_min_hold(Duration::from_micros(self.min_hold))
            .and_then(|request| Ok(request.with_holder(Holder::new(&self.id)?)))
    }
}

impl Action {
    fn operation(self) -> leasehold::Result<Operation> {
        Ok(match self {
            Self::TryAcquire(ask) if ask.deadline.is_some() => {
                return Err(Error::invalid("deadline", "", "absent: nobody waits"));
            }
            Self::TryAcquire(ask) => Operation::TryAcquire(ask.request()?),
            Self::Acquire(ask) => Operation::Acquire {
                request: ask.request()?,
                deadline: ask.deadline.map_or(Duration::MAX, Duration::from_micros),
            },
            Self::Extend { key, id, ttl: micros } => {
                Operation::Extend { key: LockKey::new(key)?, id: lease_id(&id), ttl: ttl(micros)? }
            }
            Self::Downgrade { key, id } => {
                Operation::Downgrade { key: LockKey::new(key)?, id: lease_id(&id) }
            }
            Self::Release { key, id } => {
                Operation::Release { key: LockKey::new(key)?, id: lease_id(&id) }
            }
            Self::Revoke { key } => Operation::Revoke { key: LockKey::new(key)? },
            Self::Cancel { key, id } => {
                Operation::Cancel { key: LockKey::new(key)?, id: lease_id(&id) }
            }
            Self::Tick => Operation::Tick,
        })
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expected {
    Granted(u32),
    Held(String),
    Queued,
    TimedOut,
    Extended,
    Downgraded,
    Lost,
    Released,
    NotHeld,
    Revoked(usize),
    Nothing,
    Refused(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Then {
    Granted { id: String, token: u32 },
    TimedOut { id: String },
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedState {
    #[serde(default)]
    pub(super) leases: Vec<ExpectedLease>,
    #[serde(default)]
    pub(super) waiters: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedLease {
    pub(super) id: String,
    pub(super) token: u32,
    pub(super) ends: u64,
    #[serde(default)]
    pub(super) mode: RawMode,
    #[serde(default = "one")]
    pub(super) permits: u32,
    #[serde(default)]
    pub(super) released: bool,
}
