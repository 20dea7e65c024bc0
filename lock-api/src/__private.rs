//! What `#[with_lock]` expands to: not for use by hand, and free to change in any release.

use crate::{Error, Guard, HeldReason, LockBackend, LockRequest, Locker, Result};

/// Whose turn it is.
#[derive(Debug)]
pub enum Turn<B: LockBackend + ?Sized> {
    /// The lock is ours.
    Ours(Guard<B>),
    /// Others hold the key, or wait ahead; the error says who.
    Theirs(Error),
}

/// Anything that derefs to a locker.
pub const fn locker<B: LockBackend + ?Sized>(locker: &Locker<B>) -> &Locker<B> {
    locker
}

/// Waits for the lock, and tells contention from failure.
///
/// # Errors
/// Those of [`LockRequest::acquire`] which are no contention.
pub async fn take<B: LockBackend + ?Sized>(request: LockRequest<B>) -> Result<Turn<B>> {
    match request.acquire().await {
        Ok(guard) => Ok(Turn::Ours(guard)),
        Err(error) if is_contention(&error) => Ok(Turn::Theirs(error)),
        Err(error) => Err(error),
    }
}

/// A quarantine is none: nobody is at work, and what is skipped then would not be done at all.
fn is_contention(error: &Error) -> bool {
    let reason = error.held().map(|held| held.reason);
    error.is_timeout() && matches!(reason, Some(HeldReason::Lease | HeldReason::Queue))
}

/// Runs a body that can fail by itself.
///
/// # Errors
/// The body's own, or the loss of the lease.
pub async fn run<B, T, E, F, Fut>(guard: Guard<B>, body: F) -> Result<T, E>
where
    B: LockBackend + ?Sized,
    E: From<Error>,
    F: FnOnce(crate::Lease<B>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    match guard.run(body).await {
        Ok(output) => output,
        Err(loss) => Err(loss.into()),
    }
}

/// Calls a handler, whose argument's type is known this way.
///
/// # Errors
/// The handler's.
pub async fn handle<T, E, F, Fut>(handler: F, contention: Error) -> Result<T, E>
where
    F: FnOnce(Error) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    handler(contention).await
}

/// What a function returns that was skipped.
#[diagnostic::on_unimplemented(
    message = "`on_contention = skip` does not know what to return for `{Self}`",
    label = "a function that is skipped returns `Option<…>` or `()`",
    note = "say what to return instead: `on_contention = skip(value)`"
)]
pub trait Skipped {
    /// The value.
    fn skipped() -> Self;
}

impl Skipped for () {
    fn skipped() -> Self {}
}

impl<T> Skipped for Option<T> {
    fn skipped() -> Self {
        None
    }
}
