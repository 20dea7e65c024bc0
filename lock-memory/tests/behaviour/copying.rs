//! A copy of the backend, as a replica that takes over.

use std::time::Duration;

use futures::FutureExt as _;
use leasehold::{Acquire, AcquireRequest, LockBackend, LockKey, Release, TryAcquire, Ttl};
use leasehold_memory::MemoryBackend;

fn request(backend: &MemoryBackend, key: &str) -> AcquireRequest {
    let ttl = Ttl::new(Duration::from_secs(1)).unwrap();
    AcquireRequest::new(LockKey::new(key).unwrap(), backend.runtime().lease_id(), ttl)
}

#[test]
fn a_copy_has_the_leases_and_nobody_who_waits_and_goes_its_own_way() {
    let (backend, _clock) = MemoryBackend::manual(1);
    let (holder, waiter) = (request(&backend, "a"), request(&backend, "a"));
    let granted = backend.try_acquire(&holder).now_or_never().unwrap().unwrap();
    let deadline = backend.runtime().now() + Duration::from_secs(1);
    let mut waiting = backend.acquire(&waiter, deadline);
    assert!((&mut waiting).now_or_never().is_none());
    let copy = backend.copy();
    let seen = copy.inspect(holder.key()).now_or_never().unwrap().unwrap();
    assert_eq!((seen.leases.len(), seen.waiters.len()), (1, 0));
    let released = copy.release(holder.key(), holder.id()).now_or_never().unwrap();
    assert_eq!(released.unwrap(), Release::Released);
    assert!((&mut waiting).now_or_never().is_none(), "the first still holds it for its holder");
    let next = copy.try_acquire(&waiter).now_or_never().unwrap().unwrap();
    let (TryAcquire::Granted(first), TryAcquire::Granted(next)) = (granted, next) else {
        panic!("both are granted");
    };
    assert!(next.token > first.token);
    backend.release(holder.key(), holder.id()).now_or_never().unwrap().unwrap();
    let served = waiting.now_or_never().unwrap().unwrap();
    assert!(matches!(served, Acquire::Granted(_)));
}
