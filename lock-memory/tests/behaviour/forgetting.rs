//! Keys that nobody needs any more are forgotten, and nobody can tell.

use leasehold::{AcquireRequest, ErrorKind, LockBackend, Runtime, VirtualClock};
use leasehold_memory::{MemoryBackend, state::Retention};

use crate::support::*;

/// Uses this many keys once each.
async fn use_keys(backend: &MemoryBackend, name: &str, count: usize) {
    for number in 0..count {
        let key = key(&format!("{name}-{number}"));
        let request = AcquireRequest::new(key.clone(), backend.runtime().lease_id(), ttl(1));
        granted(&backend.try_acquire(&request).await.unwrap());
        if number % 2 == 0 {
            backend.release(&key, request.id()).await.unwrap();
        }
    }
}

fn forgetful(time: u64) -> (MemoryBackend, VirtualClock) {
    let (runtime, clock) = Runtime::manual(1);
    let retention = Retention { time: secs(time), ids: 8 };
    (MemoryBackend::with_retention(runtime, retention), clock)
}

#[tokio::test]
async fn keys_that_were_released_or_ran_out_make_room_for_new_ones() {
    let (backend, clock) = forgetful(5);
    use_keys(&backend, "old", 1000).await;
    assert_eq!(backend.keys(), 1000);
    clock.advance(secs(6)).await;
    use_keys(&backend, "new", 1000).await;
    assert_eq!(backend.keys(), 1000, "each new key took the place of an old one");
    clock.advance(secs(6)).await;
    use_keys(&backend, "newer", 300).await;
    assert!(backend.keys() <= 700, "{} keys: it shrinks while it is used", backend.keys());
}

#[tokio::test]
async fn a_key_that_is_held_or_waited_for_or_remembers_an_id_is_kept() {
    let (backend, clock) = forgetful(5);
    for name in ["held", "waited-for"] {
        let held = AcquireRequest::new(key(name), id(1), ttl(100));
        granted(&backend.try_acquire(&held).await.unwrap());
    }
    let waits = AcquireRequest::new(key("waited-for"), id(2), ttl(100));
    let mut waiting = backend.acquire(&waits, at(300));
    assert!(futures::poll!(&mut waiting).is_pending());
    backend.release(&key("given-up"), id(1)).await.unwrap();
    clock.advance(secs(3)).await;
    backend.release(&key("given-up"), id(2)).await.unwrap();

    // Every key is reviewed now, and the first id is forgotten but not the second.
    clock.advance(secs(4)).await;
    use_keys(&backend, "other", 10).await;
    assert_eq!(backend.keys(), 13);
    let late = AcquireRequest::new(key("given-up"), id(2), ttl(1));
    let refused = backend.try_acquire(&late).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::IdReused);
    assert!(backend.inspect(&key("held")).await.unwrap().is_locked());

    // Nobody polls the waiter, so its key is overdue; it is not lost.
    clock.jump_to(at(200));
    use_keys(&backend, "another", 30).await;
    assert!(futures::poll!(&mut waiting).is_ready());
    assert!(backend.inspect(&key("waited-for")).await.unwrap().is_locked());
}

#[tokio::test]
async fn tokens_grow_over_forgetting_even_while_the_clock_stands_still() {
    let (backend, clock) = forgetful(0);
    clock.advance(secs(1)).await;
    let mut last = None;
    for round in 0..50 {
        let request = AcquireRequest::new(key("k"), backend.runtime().lease_id(), ttl(1));
        let token = granted(&backend.try_acquire(&request).await.unwrap()).token;
        assert!(last < Some(token), "round {round}: {token} after {last:?}");
        last = Some(token);
        backend.release(&key("k"), request.id()).await.unwrap();
        // Each new key reviews some old ones.
        use_keys(&backend, &format!("round-{round}"), 3).await;
    }
    clock.advance(secs(3)).await;
    use_keys(&backend, "last", 200).await;
    assert!(!backend.inspect(&key("k")).await.unwrap().is_locked());
    assert!(backend.keys() <= 200, "{} keys", backend.keys());
}
