//! The owner of a held lease.

use std::{fmt, ops::Deref, sync::Arc};

use super::{Lease, core::Core};
use crate::{
    Downgrade, Error, LockBackend, Loss, Release, Result,
    lease::{End, reaper::release_all, record::Record},
    observe,
};

/// Holds a lease; dropping it releases the lease in the background, without blocking.
///
/// It derefs to the [`Lease`], which has the token, the validity and the signals. Use
/// [`release`](Self::release) to know that the key is free again.
#[must_use = "a dropped guard releases its lease"]
pub struct Guard<B: LockBackend + ?Sized = dyn LockBackend> {
    lease: Lease<B>,
    /// Whether the release is this guard's to send when it is dropped.
    armed: bool,
}

impl<B: LockBackend + ?Sized> Guard<B> {
    pub(super) fn new(core: Arc<Core<B>>, record: Arc<Record>, number: u64) -> Self {
        Self { lease: Lease::new(core, record, number), armed: true }
    }

    /// The view to hand to the code that works under the lease.
    #[must_use]
    pub const fn lease(&self) -> &Lease<B> {
        &self.lease
    }

    /// Makes a writer a reader: the lease goes on as a [`read`](crate::Locker::read) lock, with its token, its validity and its
    /// keep-alive as they were. Nobody can write in between, so what was written is still what is read.
    ///
    /// Readers that wait come in at once, up to the first waiting writer. [`Downgrade::Lost`] if the lease is over; past
    /// [`valid_until`](Lease::valid_until) without asking the backend. A reader stays a reader. There is no way
    /// back but to release and to ask anew: two readers that both wait to become the writer would wait for ever.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the backend can't; [`IdReused`](crate::ErrorKind::IdReused) for
    /// permits of a semaphore; or it failed, and with an unknown effect the lease may be a reader: count on no more,
    /// and ask again.
    ///
    /// # Cancellation safety
    /// The lease may be a reader; releasing it ends it all the same.
    pub async fn downgrade(&mut self) -> Result<Downgrade> {
        let Lease { core, record, number, .. } = &self.lease;
        let Some(backend) = core.backend().downgrader() else {
            return Err(Error::unsupported("this backend can't downgrade").with_key(self.key()));
        };
        let now = || core.runtime().now();
        record.tick(now());
        if !record.is_valid(now()) {
            return Ok(Downgrade::Lost);
        }
        for key in record.keys() {
            let asked = core.within_op_timeout("downgrade", backend.downgrade(key, record.id()));
            if asked.await.map_err(|error| error.or_key(key))? == Downgrade::Lost {
                record.end(End::Lost(Loss::Refused), now());
                core.keeper.reschedule(*number);
                return Ok(Downgrade::Lost);
            }
        }
        Ok(if record.is_valid(now()) { Downgrade::Downgraded } else { Downgrade::Lost })
    }

    /// Gives the lease up and waits for the answer: [`Release::NotHeld`] if it had ended before.
    ///
    /// Keep-alive stops before the release is sent.
    ///
    /// # Errors
    /// The backend failed: with an unknown effect the lease may live on until its ttl.
    ///
    /// # Cancellation safety
    /// The release goes on in the background.
    pub async fn release(mut self) -> Result<Release> {
        self.stop();
        let core = Arc::clone(&self.lease.core);
        let (backend, runtime) = (core.backend(), core.runtime());
        let timeout = core.config().op_timeout();
        let record = &self.lease.record;
        let released = release_all(backend, runtime, record.keys(), record.id(), timeout).await;
        self.armed = false;
        let released = released.map_err(|error| error.with_operation("release").or_key(self.key()));
        observe::seen("release", Some(self.key()), released)
    }

    /// Ends the lease's life in this process: no renewal, no signal from here on.
    fn stop(&self) {
        self.lease.core.keeper.forget(self.lease.number);
        self.lease.record.end(End::Released, self.lease.core.runtime().now());
    }
}

impl<B: LockBackend + ?Sized> Drop for Guard<B> {
    fn drop(&mut self) {
        if self.armed {
            self.stop();
            self.lease.core.give_up(self.lease.record.keys(), self.lease.record.id());
        }
    }
}

impl<B: LockBackend + ?Sized> Deref for Guard<B> {
    type Target = Lease<B>;

    fn deref(&self) -> &Lease<B> {
        &self.lease
    }
}

impl<B: LockBackend + ?Sized> fmt::Debug for Guard<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.lease).finish()
    }
}
