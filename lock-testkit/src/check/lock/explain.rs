//! The possibilities just before a violation, in words.

use super::config::Config;
use super::guards::{Guards, compatible};
use super::part::{Kind, Part};
use crate::history::OpId;
use crate::model::lock::Span;

/// A state that the backend may have been in just before nothing fitted any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Possible {
    /// Its leases.
    pub leases: Vec<PossibleLease>,
    /// Why the operation cannot have its outcome here.
    pub failed: String,
}

/// A live lease in a possible state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PossibleLease {
    /// Its key.
    pub key: String,
    /// Its name.
    pub lease: String,
    /// Its token; `None` if no answer ever shows it.
    pub token: Option<u64>,
    /// Where it ends (nanoseconds of the recorder's clock).
    pub ends: Span,
    /// Released under a minimum hold.
    pub released: bool,
}

/// Where the search ended: nothing that may have happened explains this outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impasse {
    /// The keys of the part.
    pub keys: Vec<String>,
    /// The operation that returned.
    pub op: OpId,
    /// When it returned (nanoseconds of the recorder's clock).
    pub at_ns: u64,
    /// The possible states just before (at most eight).
    pub states: Vec<Possible>,
}

/// How many states are told.
const TOLD: usize = 8;

pub(super) fn impasse<const W: usize>(
    guards: &Guards<'_, W>,
    configs: &[Config<W>],
    number: u32,
    now: i64,
) -> Impasse {
    let part = guards.part;
    let mut states: Vec<Possible> = configs
        .iter()
        .map(|config| Possible {
            leases: leases(part, config),
            failed: failed(guards, config, number),
        })
        .collect();
    states.sort();
    states.dedup();
    states.truncate(TOLD);
    Impasse {
        keys: part.keys.iter().map(ToString::to_string).collect(),
        op: part.ops[number as usize].id,
        at_ns: u64::try_from(now).unwrap_or(0),
        states,
    }
}

fn leases<const W: usize>(part: &Part, config: &Config<W>) -> Vec<PossibleLease> {
    let one = |(index, entry): (usize, &super::config::Entry)| {
        let var = config.end(index);
        PossibleLease {
            key: part.keys[entry.key as usize].to_string(),
            lease: part.leases[entry.lease as usize].to_string(),
            token: (entry.token != 0).then_some(entry.token),
            ends: Span { lo: config.zone.least(var), hi: config.zone.greatest(var) },
            released: entry.released,
        }
    };
    config.entries.iter().enumerate().map(one).collect()
}

fn failed<const W: usize>(guards: &Guards<'_, W>, config: &Config<W>, number: u32) -> String {
    let op = &guards.part.ops[number as usize];
    let name =
        |lease: u32| guards.part.leases.get(lease as usize).map_or("nobody", |lease| &**lease);
    let own = op.keys.iter().any(|key| config.held(*key, op.lease).is_some());
    match &op.kind {
        Kind::Granted { token } => {
            let last = op.keys.iter().map(|key| config.tokens[*key as usize].last).max();
            if last.is_some_and(|last| *token <= last) && !own {
                let last = last.unwrap_or(0);
                return format!("token {token} is not greater than {last}, granted before");
            }
            if let Some(key) = op.keys.iter().find(|key| !compatible(config, **key, op)) {
                let other = config.entries.iter().find(|entry| entry.key == *key);
                let other = other.map_or("nobody", |entry| name(entry.lease));
                return format!("the key is held by {other}");
            }
            if config.is_dead(op) {
                return format!("{} was released or given up before", name(op.lease));
            }
            if guards.open.is_behind(number, config) {
                return "somebody enqueued earlier still waits".to_owned();
            }
            "a smaller token was not granted yet".to_owned()
        }
        Kind::Held { .. } | Kind::TimedOut { .. } => "nothing is in the way of a grant".to_owned(),
        Kind::Downgraded if own => format!("{} is no writer", name(op.lease)),
        Kind::Extended { .. } | Kind::Downgraded | Kind::Released => {
            format!("{} is not live", name(op.lease))
        }
        Kind::Lost | Kind::NotHeld => format!("{} is live", name(op.lease)),
        Kind::State { .. } => "the reading shows other leases or waiters".to_owned(),
        Kind::Waited => "it still has what it was granted".to_owned(),
        Kind::Revoked { leases } => format!("there are not {leases} live leases"),
        _ => "it cannot take effect".to_owned(),
    }
}
