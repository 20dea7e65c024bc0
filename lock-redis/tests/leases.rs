//! One operation at a time against a real server: outcomes, and what stands on the server after each.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::time::Duration;

use leasehold::{
    AcquireRequest, Downgrade, Effect, ErrorKind, Extension, Held, HeldReason, LockBackend, Mode,
    Release,
};
use support::{exclusive, fixture, granted, held, id, key, long, shared, ttl};

#[tokio::test]
async fn a_free_key_is_granted_and_a_held_one_is_not() {
    let (_server, backend) = fixture().await;
    let first = exclusive("k");
    let grant = granted(&backend, &first).await;
    assert_eq!(grant.ttl, long());
    let Held { reason, retry_after, holders } = held(&backend, &exclusive("k")).await;
    assert_eq!(reason, HeldReason::Lease);
    assert!(retry_after.unwrap() <= long().get());
    assert_eq!(holders, [first.holder().clone()]);
}

#[tokio::test]
async fn the_same_id_again_is_the_same_grant() {
    let (_server, backend) = fixture().await;
    let request = exclusive("k");
    let first = granted(&backend, &request).await;
    let again = granted(&backend, &request).await;
    assert_eq!(first.token, again.token);
    let reader = shared("r", 1, 0);
    let first = granted(&backend, &reader).await;
    assert_eq!(first.token, granted(&backend, &reader).await.token);
    assert_eq!(backend.inspect(&key("r")).await.unwrap().leases.len(), 1);
}

#[tokio::test]
async fn the_same_id_with_other_terms_is_refused_without_effect() {
    let (_server, backend) = fixture().await;
    let request = shared("k", 2, 5);
    granted(&backend, &request).await;
    let limit = |limit| Mode::Shared { limit: leasehold::Limit::new(limit).unwrap() };
    for (mode, permits) in [(Mode::Exclusive, 1), (limit(5), 3), (limit(6), 2)] {
        let other =
            AcquireRequest::new(key("k"), request.id(), long()).with_mode(mode, permits).unwrap();
        let error = backend.try_acquire(&other).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::IdReused, Effect::None));
    }
    assert_eq!(backend.inspect(&key("k")).await.unwrap().leases[0].permits, 2);
}

#[tokio::test]
async fn a_released_id_is_never_granted_again() {
    let (_server, backend) = fixture().await;
    let first = exclusive("k");
    granted(&backend, &first).await;
    assert_eq!(backend.release(&key("k"), first.id()).await.unwrap(), Release::Released);
    // Also after others came and went, as far as the record remembers.
    for _ in 0..3 {
        let error = backend.try_acquire(&first).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IdReused);
        let other = exclusive("k");
        granted(&backend, &other).await;
        backend.release(&key("k"), other.id()).await.unwrap();
    }
    let reader = shared("k", 1, 0);
    granted(&backend, &reader).await;
    backend.release(&key("k"), reader.id()).await.unwrap();
    let error = backend.try_acquire(&reader).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IdReused);
}

#[tokio::test]
async fn a_downgrade_forgets_no_released_id_and_remembers_its_own_only_once_released() {
    let (_server, backend) = fixture().await;
    let (earlier, writer) = (exclusive("k"), exclusive("k"));
    granted(&backend, &earlier).await;
    backend.release(&key("k"), earlier.id()).await.unwrap();
    let token = granted(&backend, &writer).await.token;
    let downgraded = backend.downgrader().unwrap().downgrade(&key("k"), writer.id()).await;
    assert_eq!(downgraded.unwrap(), Downgrade::Downgraded);
    let as_reader = writer.clone().with_mode(Mode::READ, 1).unwrap();
    assert_eq!(granted(&backend, &as_reader).await.token, token);
    for late in [&earlier, &writer] {
        let error = backend.try_acquire(late).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::IdReused, Effect::None));
    }
    let shown = backend.inspect(&key("k")).await.unwrap();
    assert_eq!(shown.leases[0].holder, *writer.holder());
    assert_eq!(backend.release(&key("k"), writer.id()).await.unwrap(), Release::Released);
    for late in [&earlier, &writer, &as_reader] {
        let error = backend.try_acquire(late).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::IdReused, Effect::None));
    }
    assert!(granted(&backend, &exclusive("k")).await.token > token);
}

#[tokio::test]
async fn an_id_given_up_before_its_acquire_arrives_is_never_granted() {
    let (server, backend) = fixture().await;
    let late = exclusive("k");
    let released = backend.release(&key("k"), late.id()).await.unwrap();
    assert_eq!(released, Release::NotHeld);
    let error = backend.try_acquire(&late).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IdReused);
    granted(&backend, &exclusive("k")).await;
    assert!(server.names().contains(&"lh:{k}:t".to_owned()));
}

#[tokio::test]
async fn releasing_twice_or_with_anothers_id_touches_nothing() {
    let (_server, backend) = fixture().await;
    let request = exclusive("k");
    granted(&backend, &request).await;
    assert_eq!(backend.release(&key("k"), id()).await.unwrap(), Release::NotHeld);
    assert!(backend.inspect(&key("k")).await.unwrap().is_locked());
    assert_eq!(backend.release(&key("k"), request.id()).await.unwrap(), Release::Released);
    assert_eq!(backend.release(&key("k"), request.id()).await.unwrap(), Release::NotHeld);
    assert_eq!(backend.release(&key("never"), id()).await.unwrap(), Release::NotHeld);
}

#[tokio::test]
async fn tokens_grow_over_release_and_mode_and_several_keys() {
    let (_server, backend) = fixture().await;
    let mut last = 0;
    for round in 0..20 {
        let request = match round % 3 {
            0 => exclusive("k"),
            1 => shared("k", 1, 0),
            _ => AcquireRequest::for_keys([key("k"), key("l")], id(), long()).unwrap(),
        };
        let token = granted(&backend, &request).await.token.get();
        assert!(token > last, "{token} after {last}");
        last = token;
        for key in request.keys() {
            assert_eq!(backend.release(key, request.id()).await.unwrap(), Release::Released);
        }
    }
}

#[tokio::test]
async fn an_extension_never_shortens_and_never_revives() {
    let (_server, backend) = fixture().await;
    for request in [exclusive("x"), shared("s", 1, 3)] {
        let key = request.key();
        granted(&backend, &request).await;
        assert_eq!(backend.extend(key, request.id(), ttl(1)).await.unwrap(), Extension::Extended);
        let remaining = backend.inspect(key).await.unwrap().leases[0].remaining;
        assert!(remaining > Duration::from_secs(50), "{remaining:?}");
        let hour = ttl(3_600_000);
        assert_eq!(backend.extend(key, request.id(), hour).await.unwrap(), Extension::Extended);
        let remaining = backend.inspect(key).await.unwrap().leases[0].remaining;
        assert!(remaining > Duration::from_secs(3_500), "{remaining:?}");
        assert_eq!(backend.extend(key, id(), long()).await.unwrap(), Extension::Lost);
        backend.release(key, request.id()).await.unwrap();
        assert_eq!(backend.extend(key, request.id(), long()).await.unwrap(), Extension::Lost);
    }
}

#[tokio::test]
async fn permits_stay_within_the_limit_and_come_back() {
    let (_server, backend) = fixture().await;
    let two = shared("k", 2, 3);
    granted(&backend, &two).await;
    assert_eq!(held(&backend, &shared("k", 2, 3)).await.reason, HeldReason::Lease);
    let one = shared("k", 1, 3);
    granted(&backend, &one).await;
    held(&backend, &shared("k", 1, 3)).await;
    held(&backend, &exclusive("k")).await;
    backend.release(&key("k"), two.id()).await.unwrap();
    granted(&backend, &shared("k", 2, 3)).await;
    assert_eq!(backend.inspect(&key("k")).await.unwrap().leases.len(), 2);
}

#[tokio::test]
async fn readers_share_without_limit_and_keep_a_writer_out() {
    let (_server, backend) = fixture().await;
    let readers: Vec<_> = (0..10).map(|_| shared("k", 1, 0)).collect();
    for reader in &readers {
        granted(&backend, reader).await;
    }
    let writer = exclusive("k");
    assert_eq!(held(&backend, &writer).await.holders.len(), 5);
    for reader in &readers {
        backend.release(&key("k"), reader.id()).await.unwrap();
    }
    granted(&backend, &writer).await;
    held(&backend, &shared("k", 1, 0)).await;
}

#[tokio::test]
async fn two_finite_limits_on_one_key_are_an_error_while_both_live() {
    let (_server, backend) = fixture().await;
    let three = shared("k", 1, 3);
    granted(&backend, &three).await;
    let error = backend.try_acquire(&shared("k", 1, 4)).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::LimitMismatch, Effect::None));
    granted(&backend, &shared("k", 1, 0)).await;
    backend.release(&key("k"), three.id()).await.unwrap();
    granted(&backend, &shared("k", 1, 4)).await;
}

#[tokio::test]
async fn several_keys_are_all_or_nothing() {
    let (_server, backend) = fixture().await;
    let all = ["a", "b", "c"].map(key);
    let b = exclusive("b");
    granted(&backend, &b).await;
    let request = AcquireRequest::for_keys(all.clone(), id(), long()).unwrap();
    held(&backend, &request).await;
    for free in ["a", "c"] {
        assert!(!backend.inspect(&key(free)).await.unwrap().is_locked());
    }
    backend.release(&key("b"), b.id()).await.unwrap();
    let grant = granted(&backend, &request).await;
    for each in &all {
        assert_eq!(backend.inspect(each).await.unwrap().leases[0].token, grant.token);
    }
    assert_eq!(granted(&backend, &request).await.token, grant.token);
    backend.release(&key("a"), request.id()).await.unwrap();
    let error = backend.try_acquire(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IdReused);
}

#[tokio::test]
async fn a_minimum_hold_outlives_the_release_and_can_not_be_revived() {
    let (_server, backend) = fixture().await;
    for request in [exclusive("x"), shared("s", 1, 1)] {
        let request = request.with_min_hold(Duration::from_secs(30)).unwrap();
        let key = request.key().clone();
        granted(&backend, &request).await;
        assert_eq!(backend.release(&key, request.id()).await.unwrap(), Release::Released);
        let state = backend.inspect(&key).await.unwrap();
        assert!(state.leases[0].released);
        assert!(state.leases[0].remaining <= Duration::from_secs(30));
        held(&backend, &exclusive(key.as_str())).await;
        held(&backend, &request).await;
        assert_eq!(backend.extend(&key, request.id(), long()).await.unwrap(), Extension::Lost);
        assert_eq!(backend.release(&key, request.id()).await.unwrap(), Release::NotHeld);
        assert!(backend.inspect(&key).await.unwrap().is_locked());
    }
}

#[tokio::test]
async fn inspect_tells_what_is_live_and_changes_nothing() {
    let (server, backend) = fixture().await;
    assert_eq!(backend.inspect(&key("k")).await.unwrap(), leasehold::KeyState::default());
    assert!(server.names().is_empty());
    let request = shared("k", 2, 5);
    let grant = granted(&backend, &request).await;
    let before = server.command(&["GET", "lh:{k}"]);
    let state = backend.inspect(&key("k")).await.unwrap();
    let lease = &state.leases[0];
    assert_eq!((lease.token, lease.permits, lease.mode), (grant.token, 2, request.mode()));
    assert_eq!(&lease.holder, request.holder());
    assert!(!lease.released && lease.remaining <= long().get());
    assert_eq!(server.command(&["GET", "lh:{k}"]), before);
}
