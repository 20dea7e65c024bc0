//! What can go wrong, and whether it may have happened all the same.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use crate::{Held, LockKey};

/// The result of an operation on locks.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whether a failed operation may have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Certainly nothing happened.
    None,
    /// It may have happened, or may still happen: the reply was lost, or came too late.
    Unknown,
}

/// What kind of failure it is, by what the caller must do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Someone else held the key for all of the wait (at once, for fail-fast): give up, or try
    /// later. [`Error::held`] says who.
    Timeout,
    /// The lease ended before the work did: stop now; only the fencing token protects what was
    /// already sent.
    LeaseLost,
    /// The backend could not be reached or could not serve: back off, then try again.
    Unavailable,
    /// The server refused these credentials or permissions: mend the configuration.
    Denied,
    /// What stands at the key's place is not Leasehold's: choose another prefix. It is left as it was.
    Foreign,
    /// The lease id was used before, for something else or for a lease that is over: draw a new one.
    IdReused,
    /// Two clients use different limits on one key: make them agree.
    LimitMismatch,
    /// A token lower than one already seen for this key: the server lost data. The lease was given back.
    FenceRegressed,
    /// An argument or a setting is out of bounds: mend the call. Nothing was sent.
    Invalid,
    /// The backend or the build can't do this: see [`Capabilities`](crate::Capabilities).
    Unsupported,
    /// The locker was shut down.
    Closed,
    /// A reply that makes no sense, or a bug of ours: report it.
    Internal,
}

impl ErrorKind {
    /// A short name, fit for a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::LeaseLost => "lease_lost",
            Self::Unavailable => "unavailable",
            Self::Denied => "denied",
            Self::Foreign => "foreign",
            Self::IdReused => "id_reused",
            Self::LimitMismatch => "limit_mismatch",
            Self::FenceRegressed => "fence_regressed",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Closed => "closed",
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may succeed later, without a change by the caller.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Timeout | Self::Unavailable)
    }
}

/// A failure: its kind, its effect, and the key and operation it belongs to.
///
/// [`Display`](fmt::Display) prints one line without the [`source`](StdError::source); walk the chain
/// for that. Contention and loss reported by a *backend* are outcomes, never errors; the façade
/// turns them into [`ErrorKind::Timeout`] and [`ErrorKind::LeaseLost`] where the caller asked for a guard.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    effect: Effect,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    key: Option<LockKey>,
    code: Option<String>,
    held: Option<Held>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind. `message` is lower case and says what happened.
    #[must_use]
    pub fn new(kind: ErrorKind, effect: Effect, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            effect,
            message: message.into(),
            operation: None,
            key: None,
            code: None,
            held: None,
            source: None,
        }))
    }

    /// A refused argument: the field, its value, and the bound it broke (`at least 1ms`).
    #[must_use]
    pub fn invalid(
        field: &'static str,
        value: impl fmt::Display,
        bound: impl fmt::Display,
    ) -> Self {
        let message = format!("invalid {field}: must be {bound}, value=`{value}`");
        Self::new(ErrorKind::Invalid, Effect::None, message)
    }

    /// The backend did not answer within `timeout`: it may act on the operation still.
    pub(crate) fn no_answer(operation: &'static str, timeout: Duration) -> Self {
        let message = format!("no answer within {timeout:?}");
        Self::new(ErrorKind::Unavailable, Effect::Unknown, message).with_operation(operation)
    }

    /// A request for what the backend or the build lacks.
    #[must_use]
    pub fn unsupported(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unsupported, Effect::None, what)
    }

    /// The same error, for this key.
    #[must_use]
    pub fn with_key(mut self, key: &LockKey) -> Self {
        self.0.key = Some(key.clone());
        self
    }

    /// The same error, for this key unless it names one already.
    pub(crate) fn or_key(self, key: &LockKey) -> Self {
        if self.key().is_none() { self.with_key(key) } else { self }
    }

    /// The same error, from this operation (`acquire`, `extend`, …).
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// The same error, with the code the server gave (`READONLY`, `OOM`, `LOADING`, …).
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The same error, with what stood in the way.
    #[must_use]
    pub fn with_held(mut self, held: Held) -> Self {
        self.0.held = Some(held);
        self
    }

    /// The same error, with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the operation may have taken effect.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The key it was about, if one was.
    #[must_use]
    pub fn key(&self) -> Option<&LockKey> {
        self.0.key.as_ref()
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The code the server gave, such as `READONLY`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Who stood in the way of a [`ErrorKind::Timeout`].
    #[must_use]
    pub fn held(&self) -> Option<&Held> {
        self.0.held.as_ref()
    }

    /// The soonest moment at which another try makes sense, as far as the backend knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.held().and_then(|held| held.retry_after)
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind().is_retryable()
    }

    /// Whether the key was held by someone else for all of the wait.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the lease ended before the work did.
    #[must_use]
    pub fn is_lease_lost(&self) -> bool {
        self.kind() == ErrorKind::LeaseLost
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(code) = self.code() {
            write!(f, ", code=`{code}`")?;
        }
        if let Some(operation) = self.operation() {
            write!(f, ", operation=`{operation}`")?;
        }
        if let Some(key) = self.key() {
            write!(f, ", key=`{key}`")?;
        }
        if let Some(held) = self.held() {
            write!(f, ", {held}")?;
        }
        if self.effect() == Effect::Unknown {
            f.write_str(", effect=`unknown`")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("effect", &self.0.effect)
            .field("message", &self.0.message)
            .field("operation", &self.0.operation)
            .field("key", &self.0.key)
            .field("code", &self.0.code)
            .field("held", &self.0.held)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
