//! The greatest token seen for each key: a lower one means that the server lost data.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{FencingToken, Grant, LockKey, Timestamp};

/// How many keys a generation remembers; twice as many at the most in all.
const GENERATION: usize = 32_768;

/// Remembers the greatest token of the keys used last, in bounded memory: when the newer of two generations is
/// full, the older is forgotten.
#[derive(Debug, Default)]
pub(super) struct SeenTokens(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    newer: HashMap<LockKey, Seen>,
    older: HashMap<LockKey, Seen>,
}

/// A token, and an instant by which it was certainly granted.
#[derive(Clone, Copy, Debug)]
struct Seen {
    token: FencingToken,
    at: Timestamp,
}

impl Seen {
    /// Whether this one was granted before `grant`, although it is the greater. Grants of permits that were made in
    /// turn can arrive in any order: a lower token alone proves nothing.
    fn contradicts(self, grant: &Grant) -> bool {
        grant.token < self.token && self.at < grant.since
    }
}

impl SeenTokens {
    /// Notes a grant that has arrived by `now`; `Err` with a greater token that was granted before it.
    pub(super) fn note(
        &self,
        key: &LockKey,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<(), FencingToken> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { newer, older } = &mut *seen;
        let arrived = Seen { token: grant.token, at: now };
        if let Some(greatest) = newer.get_mut(key) {
            if greatest.contradicts(grant) {
                return Err(greatest.token);
            }
            if grant.token > greatest.token {
                *greatest = arrived;
            }
            return Ok(());
        }
        let before = older.get(key).copied();
        if let Some(greatest) = before.filter(|greatest| greatest.contradicts(grant)) {
            return Err(greatest.token);
        }
        if newer.len() >= GENERATION {
            *older = std::mem::take(newer);
        }
        let greatest = before.filter(|before| before.token >= grant.token).unwrap_or(arrived);
        newer.insert(key.clone(), greatest);
        Ok(())
    }
}
