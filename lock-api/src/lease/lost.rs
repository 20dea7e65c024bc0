//! The futures that tell a holder of its lease's end.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt as _, future::BoxFuture};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{Loss, record::Record};
use crate::Runtime;

/// Ready once the lease is lost; never if it is released. Made by [`Lease::lost`](crate::Lease::lost).
///
/// Each poll looks at the clock itself, so a holder that was stopped past its deadline learns of the loss before it
/// does anything else. Cancel safe.
#[must_use = "futures do nothing unless polled"]
pub struct Lost {
    record: Arc<Record>,
    runtime: Runtime,
    told: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Lost {
    pub(crate) fn new(record: Arc<Record>, runtime: Runtime) -> Self {
        let told = Box::pin(record.lost().clone().cancelled_owned());
        Self { record, runtime, told }
    }
}

impl Future for Lost {
    type Output = Loss;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Loss> {
        let now = self.runtime.now();
        self.record.tick_loss(now);
        self.told.as_mut().poll(context).map(|()| self.record.loss().unwrap_or(Loss::Expired))
    }
}

impl std::fmt::Debug for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lost").field("id", &self.record.id()).finish_non_exhaustive()
    }
}

/// Ready when the lease is about to run out, or is over. Made by [`Lease::expiring`](crate::Lease::expiring).
///
/// Cancel safe.
#[must_use = "futures do nothing unless polled"]
pub struct Expiring(BoxFuture<'static, ()>);

impl Expiring {
    pub(crate) fn new(record: Arc<Record>) -> Self {
        Self(Box::pin(async move {
            loop {
                let changed = record.changed().notified();
                if record.is_expiring() {
                    return;
                }
                changed.await;
            }
        }))
    }
}

impl Future for Expiring {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_unpin(context)
    }
}

impl std::fmt::Debug for Expiring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expiring").finish_non_exhaustive()
    }
}
