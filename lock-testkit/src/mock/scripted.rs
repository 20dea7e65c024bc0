//! A backend that answers from a list.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, DowngradeBackend, Effect,
    Error, ErrorKind, Extension, FencingToken, Grant, Held, HeldReason, KeyState, LeaseId,
    LockBackend, LockKey, Release, Result, Runtime, Timestamp, TryAcquire, Ttl,
};

/// A backend that gives, to each operation in turn, the next answer that was put down for it.
///
/// The answers of one operation come in the order of the list; operations don't wait for each other,
/// so a renewal in between does not upset the rest. An operation without an answer left fails as
/// [`ErrorKind::Internal`]. Every call is kept, see [`calls`](Self::calls). It declares no capabilities unless told.
///
/// ```
/// use leasehold::{AcquireRequest, Effect, LockBackend, LockKey, Release, Runtime, Ttl};
/// use leasehold_testkit::mock::{Answer, Call, ScriptedBackend};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (runtime, _clock) = Runtime::manual(7);
/// let backend = ScriptedBackend::new(runtime, [
///     Answer::unknown_try_acquire(),
///     Answer::Release(Ok(Release::NotHeld)),
/// ]);
/// let key = LockKey::new("job")?;
/// let request = AcquireRequest::new(key.clone(), backend.runtime().lease_id(), Ttl::MIN);
///
/// // What the code under test would do: the reply was lost, so it gives the id up.
/// let error = backend.try_acquire(&request).await.unwrap_err();
/// assert_eq!(error.effect(), Effect::Unknown);
/// backend.release(&key, request.id()).await?;
///
/// assert_eq!(backend.calls(), [
///     Call::TryAcquire(request.clone()),
///     Call::Release(key, request.id()),
/// ]);
/// assert_eq!(backend.answers_left(), 0);
/// # Ok::<(), leasehold::Error>(())
/// # }).unwrap();
/// ```
pub struct ScriptedBackend {
    runtime: Runtime,
    capabilities: Capabilities,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    calls: Vec<Call>,
    last_token: u64,
}

/// One answer of the list.
#[derive(Debug)]
pub enum Answer {
    /// To a `try_acquire`.
    TryAcquire(Result<TryAcquire>),
    /// To a `try_acquire`: granted for the ttl asked, with the next token.
    Grant,
    /// To an `acquire`.
    Acquire(Result<Acquire>),
    /// To an `extend`.
    Extend(Result<Extension>),
    /// To a `release`.
    Release(Result<Release>),
    /// To an `inspect`.
    Inspect(Result<KeyState>),
    /// To a `try_acquire`, that never comes.
    TryAcquireNever,
    /// To an `acquire`, that never comes.
    AcquireNever,
    /// To an `extend`, that never comes.
    ExtendNever,
    /// To a `release`, that never comes.
    ReleaseNever,
}

/// One call that a [`ScriptedBackend`] got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A `try_acquire` of this.
    TryAcquire(AcquireRequest),
    /// An `acquire` of this, until then.
    Acquire(AcquireRequest, Timestamp),
    /// An `extend`.
    Extend(LockKey, LeaseId, Ttl),
    /// A `release`.
    Release(LockKey, LeaseId),
    /// An `inspect`.
    Inspect(LockKey),
}

impl Answer {
    /// To a `try_acquire`: somebody holds the key.
    #[must_use]
    pub const fn held() -> Self {
        Self::TryAcquire(Ok(TryAcquire::Held(Held::because(HeldReason::Lease))))
    }

    /// To a `try_acquire`: the reply was lost; it may have been granted.
    #[must_use]
    pub fn unknown_try_acquire() -> Self {
        Self::TryAcquire(Err(lost_reply()))
    }

    /// To an `acquire`: the reply was lost; it may have been granted.
    #[must_use]
    pub fn unknown_acquire() -> Self {
        Self::Acquire(Err(lost_reply()))
    }

    /// To an `extend`: the reply was lost; it may have been extended.
    #[must_use]
    pub fn unknown_extend() -> Self {
        Self::Extend(Err(lost_reply()))
    }

    /// To a `release`: the reply was lost; it may have been released.
    #[must_use]
    pub fn unknown_release() -> Self {
        Self::Release(Err(lost_reply()))
    }
}

fn lost_reply() -> Error {
    Error::new(ErrorKind::Unavailable, Effect::Unknown, "the reply was lost")
}

impl ScriptedBackend {
    /// A backend with these answers, on this runtime.
    #[must_use]
    pub fn new(runtime: Runtime, answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Script { answers: answers.into_iter().collect(), ..Script::default() };
        Self {
            runtime,
            capabilities: Capabilities::new(Duration::ZERO),
            script: Mutex::new(script),
        }
    }

    /// The same, declaring these capabilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Puts one more answer at the end of the list.
    pub fn push(&self, answer: Answer) {
        self.script().answers.push_back(answer);
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.script().calls.clone()
    }

    /// How many answers nobody has asked for yet.
    #[must_use]
    pub fn answers_left(&self) -> usize {
        self.script().answers.len()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the call, and takes the first answer that is for it.
    fn next(&self, call: Call, is_for: impl Fn(&Answer) -> bool) -> Option<Answer> {
        let mut script = self.script();
        script.calls.push(call);
        let at = script.answers.iter().position(is_for)?;
        script.answers.remove(at)
    }

    fn grant(&self, ttl: Ttl) -> Result<TryAcquire> {
        let mut script = self.script();
        script.last_token += 1;
        let token = FencingToken::new(script.last_token).ok_or_else(|| used_up("token"))?;
        let since = self.runtime.now();
        Ok(TryAcquire::Granted(Grant { token, ttl, since }))
    }
}

fn used_up(operation: &'static str) -> Error {
    let message = "the script has no answer left";
    Error::new(ErrorKind::Internal, Effect::None, message).with_operation(operation)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LockBackend for ScriptedBackend {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        let is_for = |answer: &Answer| {
            matches!(answer, Answer::TryAcquire(_) | Answer::Grant | Answer::TryAcquireNever)
        };
        match self.next(Call::TryAcquire(request.clone()), is_for) {
            Some(Answer::TryAcquire(answer)) => answer,
            Some(Answer::Grant) => self.grant(request.ttl()),
            Some(_never) => std::future::pending().await,
            None => Err(used_up("try_acquire")),
        }
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        let is_for = |answer: &Answer| matches!(answer, Answer::Acquire(_) | Answer::AcquireNever);
        match self.next(Call::Acquire(request.clone(), deadline), is_for) {
            Some(Answer::Acquire(answer)) => answer,
            Some(_never) => std::future::pending().await,
            None => Err(used_up("acquire")),
        }
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        let is_for = |answer: &Answer| matches!(answer, Answer::Extend(_) | Answer::ExtendNever);
        match self.next(Call::Extend(key.clone(), id, ttl), is_for) {
            Some(Answer::Extend(answer)) => answer,
            Some(_never) => std::future::pending().await,
            None => Err(used_up("extend")),
        }
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        let is_for = |answer: &Answer| matches!(answer, Answer::Release(_) | Answer::ReleaseNever);
        match self.next(Call::Release(key.clone(), id), is_for) {
            Some(Answer::Release(answer)) => answer,
            Some(_never) => std::future::pending().await,
            None => Err(used_up("release")),
        }
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let is_for = |answer: &Answer| matches!(answer, Answer::Inspect(_));
        match self.next(Call::Inspect(key.clone()), is_for) {
            Some(Answer::Inspect(answer)) => answer,
            _ => Err(used_up("inspect")),
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        None
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        None
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        None
    }
}

impl fmt::Debug for ScriptedBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let script = self.script();
        f.debug_struct("ScriptedBackend")
            .field("answers_left", &script.answers.len())
            .field("calls", &script.calls)
            .finish_non_exhaustive()
    }
}
