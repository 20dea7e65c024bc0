//! What a script tells a process.

use leasehold::{FencingToken, LeaseId, LockKey, Ttl};

use crate::key::Keyspace;

/// A message on the process's channel, or on the one where revocations are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// The waiter's turn came.
    Granted { id: LeaseId, key: LockKey, grant: Granted },
    /// Something changed sooner than the waiter knows: it is to ask again.
    Look(LeaseId),
    /// An administrator took the lease away.
    Revoked(LeaseId),
}

/// A grant made by another's script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) token: FencingToken,
    pub(crate) ttl: Ttl,
    /// When, in µs of the server's clock.
    pub(crate) at: u64,
    /// In which epoch.
    pub(crate) mark: String,
}

impl Push {
    /// Reads a message; `None` if it is none of ours.
    pub(crate) fn read(text: &str, names: &Keyspace) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        let id = LeaseId::from_hex(words.next()?)?;
        let push = match kind {
            "look" => Self::Look(id),
            "revoked" => Self::Revoked(id),
            "grant" => {
                let token = FencingToken::new(words.next()?.parse().ok()?)?;
                let at = words.next()?.parse().ok()?;
                let micros = words.next()?.parse().ok()?;
                let ttl = Ttl::new(std::time::Duration::from_micros(micros)).ok()?;
                let mark = words.next()?.to_owned();
                let key = names.key(words.next()?)?;
                Self::Granted { id, key, grant: Granted { token, ttl, at, mark } }
            }
            _ => return None,
        };
        words.next().is_none().then_some(push)
    }
}
