//! Waiting without a queue.

use super::{Backoff, LockBackend};
use crate::{Acquire, AcquireRequest, Held, HeldReason, Result, Timestamp, TryAcquire};

/// Waits by trying again with jittered backoff, for backends without a queue: their
/// [`acquire`](LockBackend::acquire) is a call to this. Nobody is served in order (no G6).
///
/// # Errors
/// Those of [`try_acquire`](LockBackend::try_acquire), at once: the façade decides about retries.
///
/// # Cancellation safety
/// Nothing stays behind but what a dropped `try_acquire` leaves.
pub async fn poll_acquire(
    backend: &(impl LockBackend + ?Sized),
    request: &AcquireRequest,
    deadline: Timestamp,
) -> Result<Acquire> {
    poll_acquire_with(backend, request, deadline, &Backoff::default()).await
}

/// As [`poll_acquire`], with this policy.
///
/// # Errors
/// As [`poll_acquire`].
pub async fn poll_acquire_with(
    backend: &(impl LockBackend + ?Sized),
    request: &AcquireRequest,
    deadline: Timestamp,
    policy: &Backoff,
) -> Result<Acquire> {
    let runtime = backend.runtime();
    let mut delays = policy.delays(runtime.entropy());
    loop {
        let held = match backend.try_acquire(request).await? {
            TryAcquire::Granted(grant) => return Ok(Acquire::Granted(grant)),
            TryAcquire::Held(held) => held,
        };
        let now = runtime.now();
        let Some(delay) = delays.next().filter(|_| now < deadline) else {
            give_up(backend, request).await;
            return Ok(Acquire::TimedOut(held));
        };
        runtime.sleep_until(wake_at(&held, now + delay, now, deadline)).await;
    }
}

/// An id whose wait is over is never granted again. Nothing is held, so a failure here costs nothing.
async fn give_up(backend: &(impl LockBackend + ?Sized), request: &AcquireRequest) {
    let each = request.keys().iter().map(|key| backend.release(key, request.id()));
    futures::future::join_all(each).await;
}

/// A known end of the lease that comes sooner than the next try is worth waking for; the deadline always is.
fn wake_at(held: &Held, planned: Timestamp, now: Timestamp, deadline: Timestamp) -> Timestamp {
    let ends = held.retry_after.map(|after| now + after);
    let ends = ends.filter(|_| held.reason == HeldReason::Lease);
    planned.min(ends.unwrap_or(planned)).min(deadline)
}
