//! The greatest token seen for each key: a lower one means that the server lost data.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{FencingToken, LockKey};

/// How many keys a generation remembers; twice as many at the most in all.
const GENERATION: usize = 32_768;

/// Remembers the greatest token of the keys used last, in bounded memory: when the newer of two generations is
/// full, the older is forgotten.
#[derive(Debug, Default)]
pub(super) struct SeenTokens(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    newer: HashMap<LockKey, FencingToken>,
    older: HashMap<LockKey, FencingToken>,
}

impl SeenTokens {
    /// Notes `token`; `Err` with the greater one seen before if it is lower.
    pub(super) fn note(&self, key: &LockKey, token: FencingToken) -> Result<(), FencingToken> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { newer, older } = &mut *seen;
        if let Some(greatest) = newer.get_mut(key) {
            if token < *greatest {
                return Err(*greatest);
            }
            *greatest = token;
            return Ok(());
        }
        if let Some(greatest) = older.get(key).filter(|greatest| token < **greatest) {
            return Err(*greatest);
        }
        if newer.len() >= GENERATION {
            *older = std::mem::take(newer);
        }
        newer.insert(key.clone(), token);
        Ok(())
    }
}
