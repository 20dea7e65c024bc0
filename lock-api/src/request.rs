//! What an acquisition asks for.

use std::time::Duration;

use crate::{Error, Holder, LeaseId, LockKey, Mode, Result, Ttl};

/// One acquisition: which keys, under which id, how shared, for how long.
///
/// Checked as it is built: a backend can rely on every bound said here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcquireRequest {
    keys: Vec<LockKey>,
    id: LeaseId,
    mode: Mode,
    permits: u32,
    ttl: Ttl,
    min_hold: Option<Duration>,
    holder: Holder,
}

impl AcquireRequest {
    /// The most keys in one request.
    pub const MAX_KEYS: usize = 64;

    /// A request for one key: exclusive, one permit, no minimum hold, anonymous.
    #[must_use]
    pub fn new(key: LockKey, id: LeaseId, ttl: Ttl) -> Self {
        Self::of(vec![key], id, ttl)
    }

    /// A request for several keys, all or nothing. They are put in order and a key given twice
    /// is one key.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for no key, or more than
    /// [`MAX_KEYS`](Self::MAX_KEYS) different ones.
    pub fn for_keys(
        keys: impl IntoIterator<Item = LockKey>,
        id: LeaseId,
        ttl: Ttl,
    ) -> Result<Self> {
        Ok(Self::of(Self::in_order(keys.into_iter().collect())?, id, ttl))
    }

    /// The keys in canonical order, each once.
    pub(crate) fn in_order(mut keys: Vec<LockKey>) -> Result<Vec<LockKey>> {
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Err(Error::invalid("keys", 0, "at least 1"));
        }
        if keys.len() > Self::MAX_KEYS {
            let bound = format!("at most {}", Self::MAX_KEYS);
            return Err(Error::invalid("keys", keys.len(), bound));
        }
        Ok(keys)
    }

    const fn of(keys: Vec<LockKey>, id: LeaseId, ttl: Ttl) -> Self {
        Self {
            keys,
            id,
            mode: Mode::Exclusive,
            permits: 1,
            ttl,
            min_hold: None,
            holder: Holder::anonymous(),
        }
    }

    /// The same request in this mode, taking `permits` of it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for 0 permits, for more than the limit,
    /// and for more than one when exclusive.
    pub fn with_mode(mut self, mode: Mode, permits: u32) -> Result<Self> {
        if permits == 0 {
            return Err(Error::invalid("permits", permits, "at least 1"));
        }
        match mode {
            Mode::Exclusive if permits > 1 => {
                return Err(Error::invalid("permits", permits, "1 for an exclusive lease"));
            }
            Mode::Shared { limit } if !limit.allows(u64::from(permits)) => {
                let bound = format!("at most the limit of {limit}");
                return Err(Error::invalid("permits", permits, bound));
            }
            Mode::Exclusive | Mode::Shared { .. } => {}
        }
        self.mode = mode;
        self.permits = permits;
        Ok(self)
    }

    /// The same request, holding on for at least `min_hold` from the grant, whatever the holder does.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it is longer than the ttl: a crashed
    /// holder could not honour it.
    pub fn with_min_hold(mut self, min_hold: Duration) -> Result<Self> {
        if min_hold > self.ttl.get() {
            let bound = format!("at most the ttl of {}", self.ttl);
            return Err(Error::invalid("min_hold", format_args!("{min_hold:?}"), bound));
        }
        self.min_hold = (!min_hold.is_zero()).then_some(min_hold);
        Ok(self)
    }

    /// The same request by this holder.
    #[must_use]
    pub fn with_holder(mut self, holder: Holder) -> Self {
        self.holder = holder;
        self
    }

    /// The same request for other keys: what a wrapper that renames keys sends on.
    ///
    /// # Errors
    /// As [`for_keys`](Self::for_keys), and whatever `rename` returns.
    pub fn map_keys(&self, rename: impl FnMut(&LockKey) -> Result<LockKey>) -> Result<Self> {
        let keys = self.keys.iter().map(rename).collect::<Result<Vec<_>>>()?;
        let renamed = Self::for_keys(keys, self.id, self.ttl)?;
        Ok(Self { keys: renamed.keys, ..self.clone() })
    }

    /// The first key, in order; the only one of most requests.
    #[must_use]
    pub fn key(&self) -> &LockKey {
        &self.keys[0]
    }

    /// All keys, in order, each once; never empty.
    #[must_use]
    pub fn keys(&self) -> &[LockKey] {
        &self.keys
    }

    /// The lease id: one acquisition.
    #[must_use]
    pub const fn id(&self) -> LeaseId {
        self.id
    }

    /// How the keys are shared.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// How many permits of each key.
    #[must_use]
    pub const fn permits(&self) -> u32 {
        self.permits
    }

    /// How long from the grant.
    #[must_use]
    pub const fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// How long the keys stay taken at the least; never zero, never longer than the ttl.
    #[must_use]
    pub const fn min_hold(&self) -> Option<Duration> {
        self.min_hold
    }

    /// Who asks.
    #[must_use]
    pub const fn holder(&self) -> &Holder {
        &self.holder
    }
}
