//! The task that keeps a lease alive, and tells of its loss.

use std::sync::Arc;

use leasehold::{Extension, Result, Timestamp, TryAcquire};

use super::{
    FacadeBug,
    lease::{Held, Lease},
};

/// Starts the keeper of this lease.
pub(super) fn start(held: &Held) {
    let lease = Arc::clone(&held.lease);
    held.lease.holder.runtime.spawn(Box::pin(keep(lease)));
}

async fn keep(lease: Arc<Lease>) {
    let runtime = lease.holder.runtime.clone();
    let ttl = lease.holder.ttl.get();
    let mut next = runtime.now() + ttl / 3;
    loop {
        // Lost by the local deadline, whatever the server says or does not say.
        let Some(deadline) = lease.deadline() else { return lease.end() };
        let wakes = if lease.renews { deadline.min(next) } else { deadline };
        runtime.sleep_until(wakes).await;
        let now = runtime.now();
        if lease.deadline().is_none() || !lease.renews || now < next {
            continue;
        }
        next = match renew(&lease, now).await {
            Some(true) => now + ttl / 3,
            Some(false) => return lease.end(),
            None => runtime.now() + ttl / 10,
        };
    }
}

/// Whether the lease goes on, if that is known.
async fn renew(lease: &Lease, sent: Timestamp) -> Option<bool> {
    let holder = &lease.holder;
    let answer = match holder.has(FacadeBug::RenewsByAcquiring) {
        true => ask_again(lease).await,
        false => holder.backend.extend(lease.key(), lease.id(), holder.ttl).await,
    };
    let goes_on = match answer {
        Ok(Extension::Extended) => true,
        Ok(Extension::Lost) => holder.has(FacadeBug::RenewalAnswerIgnored),
        Err(_) if holder.has(FacadeBug::UnknownRenewalCounts) => true,
        Err(_) => return None,
    };
    if goes_on {
        lease.prolong(sent);
    }
    Some(goes_on)
}

async fn ask_again(lease: &Lease) -> Result<Extension> {
    let answer = lease.holder.backend.try_acquire(&lease.request).await?;
    Ok(match answer {
        TryAcquire::Granted(_) => Extension::Extended,
        TryAcquire::Held(_) => Extension::Lost,
    })
}
