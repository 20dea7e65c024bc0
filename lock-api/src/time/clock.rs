//! Where time comes from.

use std::{fmt::Debug, future::Future, pin::pin, time::Duration};

use futures::future::{BoxFuture, Either, select};

use crate::Timestamp;

/// A wait that ends when its deadline has come. Dropping it forgets the timer.
pub type Sleep = BoxFuture<'static, ()>;

/// A source of time: what now is, and a wait until a later instant.
///
/// `now` never goes back. A wait ends no earlier than its deadline on this same clock; how much later is the
/// scheduler's affair, so whatever must be exact compares `now` and trusts no timer.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Waits until `deadline`; ready at once if it has passed.
    fn sleep_until(&self, deadline: Timestamp) -> Sleep;
}

/// Waits for `duration` on this clock.
pub fn sleep(clock: &dyn Clock, duration: Duration) -> Sleep {
    clock.sleep_until(clock.now() + duration)
}

/// Runs `future` until `deadline`; `None` if the deadline came first, and then the future is dropped.
///
/// The future is looked at first, so one that is ready at its deadline still counts.
pub async fn timeout_at<F: Future>(
    clock: &dyn Clock,
    deadline: Timestamp,
    future: F,
) -> Option<F::Output> {
    match select(pin!(future), clock.sleep_until(deadline)).await {
        Either::Left((output, _timer)) => Some(output),
        Either::Right(((), _late)) => None,
    }
}
