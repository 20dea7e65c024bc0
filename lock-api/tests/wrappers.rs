//! Backends around backends.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use leasehold::{
    Capability, Downgrade, Effect, Error, ErrorKind, LockBackend, Locker, Mode,
    wrap::{Prefix, Timeout},
};
use leasehold_memory::MemoryBackend;
use support::{Faulty, key, manual, ms, secs};

fn prefixed(server: &Arc<MemoryBackend>, prefix: &str) -> Locker {
    Locker::new(Prefix::new(Arc::clone(server), prefix).unwrap())
}

#[tokio::test]
async fn two_prefixes_on_one_server_do_not_meet() {
    let server = Arc::new(MemoryBackend::new());
    let (a, b) = (prefixed(&server, "a:"), prefixed(&server, "b:"));
    let guard = a.acquire("k").await.unwrap();
    let _other = b.lock("k").fail_fast().await.unwrap();
    assert!(a.try_acquire("k").await.unwrap().is_none());
    assert!(server.inspect(&key("a:k")).await.unwrap().is_locked());
    assert_eq!(a.revoke("k").await.unwrap().leases, 1);
    assert!(guard.loss().is_some(), "the loser is told through the wrapper");
    assert!(b.is_locked("k").await.unwrap());
}

#[tokio::test]
async fn a_prefixed_backend_can_do_what_the_inner_one_can() {
    let inner = Arc::new(MemoryBackend::new());
    let outer = Prefix::new(Arc::clone(&inner), "a:").unwrap();
    assert_eq!(outer.capabilities(), inner.capabilities());
    assert!(outer.capabilities().has(Capability::Queue));
    assert!(outer.batch().is_some() && outer.admin().is_some());
    assert!(outer.downgrader().is_some());
}

#[test]
fn a_bad_prefix_is_refused() {
    let said = |prefix: String| {
        let error: Error = Prefix::new(MemoryBackend::new(), prefix).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    assert!(said(String::new()).contains("at least 1 byte"));
    assert!(said("a\nb".into()).contains("control"));
    assert!(said("x".repeat(512)).contains("below 512 bytes"));
}

#[tokio::test]
async fn a_key_that_is_too_long_behind_its_prefix_is_refused_before_anything_is_sent() {
    let server = Arc::new(MemoryBackend::new());
    let locker = prefixed(&server, "tenant:");
    let error = locker.acquire("x".repeat(510)).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
}

#[tokio::test]
async fn a_timeout_turns_silence_into_an_unknown_effect() {
    let (memory, clock) = MemoryBackend::manual(1);
    let faulty = Faulty::new(memory);
    let faults = Arc::clone(&faulty.faults);
    let bounded = Arc::new(Timeout::new(faulty, ms(200)).unwrap());
    faults.freeze(true);
    let asking = Arc::clone(&bounded);
    let id = bounded.runtime().lease_id();
    let asking = tokio::spawn(async move { asking.release(&key("k"), id).await.unwrap_err() });
    clock.advance(ms(199)).await;
    assert!(!asking.is_finished());
    clock.advance(ms(1)).await;
    let error = asking.await.unwrap();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Unknown));
    assert!(Timeout::new(MemoryBackend::new(), secs(0)).is_err());
}

#[tokio::test]
async fn an_operation_within_its_timeout_passes_through() {
    let (locker, _, clock) = manual();
    let id = locker.runtime().lease_id();
    assert!(
        Timeout::new(MemoryBackend::new(), ms(1)).unwrap().release(&key("k"), id).await.is_ok()
    );
    clock.settle().await;
}

#[tokio::test]
async fn a_downgrade_goes_through_wrappers_to_the_key_it_means() {
    let server = Arc::new(MemoryBackend::new());
    let prefixed = Prefix::new(Arc::clone(&server), "a:").unwrap();
    let locker = Locker::new(Timeout::new(prefixed, secs(1)).unwrap());
    let mut writer = locker.write("doc").await.unwrap();
    assert_eq!(writer.downgrade().await.unwrap(), Downgrade::Downgraded);
    let shown = server.inspect(&key("a:doc")).await.unwrap();
    assert_eq!(shown.leases[0].mode, Mode::READ);

    let (memory, clock) = MemoryBackend::manual(1);
    let faulty = Faulty::new(memory);
    faulty.faults.freeze(true);
    let bounded = Timeout::new(faulty, ms(200)).unwrap();
    let id = bounded.runtime().lease_id();
    let asking = tokio::spawn(async move {
        bounded.downgrader().unwrap().downgrade(&key("k"), id).await.unwrap_err()
    });
    clock.advance(ms(200)).await;
    assert_eq!(asking.await.unwrap().effect(), Effect::Unknown);
}
