//! Resources that refuse a stale holder.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use leasehold::{
    ErrorKind, FencingToken, LeaseId, Locker,
    fenced::{Fence, FencedAccess, FencedStore},
};
use leasehold_memory::{FencedMemory, MemoryBackend};

fn fence(token: u64, owner: u8) -> Fence {
    Fence { token: FencingToken::new(token).unwrap(), owner: LeaseId::from_bytes([owner; 16]) }
}

fn is_stale<T>(access: &FencedAccess<T>) -> bool {
    matches!(access, FencedAccess::Stale(_))
}

#[tokio::test]
async fn a_read_alone_raises_the_fence() {
    let store = FencedMemory::new();
    assert_eq!(store.write("n", fence(1, 1), b"old").await.unwrap(), FencedAccess::Done(()));
    let read = store.read("n", fence(2, 2)).await.unwrap();
    assert_eq!(read, FencedAccess::Done(Some(b"old".to_vec())));
    assert!(is_stale(&store.write("n", fence(1, 1), b"late").await.unwrap()));
    assert!(is_stale(&store.read("n", fence(1, 1)).await.unwrap()));
    assert_eq!(
        store.read("n", fence(2, 2)).await.unwrap(),
        FencedAccess::Done(Some(b"old".to_vec()))
    );
}

#[tokio::test]
async fn an_equal_token_passes_only_from_its_owner() {
    let store = FencedMemory::new();
    assert_eq!(store.read("n", fence(5, 1)).await.unwrap(), FencedAccess::Done(None));
    assert!(is_stale(&store.write("n", fence(5, 2), b"twin").await.unwrap()));
    assert_eq!(store.write("n", fence(5, 1), b"mine").await.unwrap(), FencedAccess::Done(()));
}

#[tokio::test]
async fn a_removed_value_keeps_its_fence() {
    let store = FencedMemory::new();
    assert_eq!(store.remove("n", fence(5, 1)).await.unwrap(), FencedAccess::Done(()));
    assert!(is_stale(&store.write("n", fence(4, 1), b"late").await.unwrap()));
    let error = store.read("n", fence(4, 1)).await.unwrap().or_lost().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
    assert_eq!(error.to_string(), "stale fence: token 4 after 5 was seen");
}

#[tokio::test]
async fn bad_names_are_refused() {
    let store = FencedMemory::new();
    for name in ["", &"x".repeat(513)] {
        assert_eq!(store.read(name, fence(1, 1)).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

/// The lost update that a fence on writes alone lets through: the paused holder's read comes first.
#[tokio::test]
async fn no_update_is_lost_when_a_paused_holder_wakes_between_its_read_and_its_write() {
    let locker = Locker::new(MemoryBackend::new());
    let store = FencedMemory::new();
    let paused = locker.acquire("n").await.unwrap();
    let old = store.read("n", paused.fence()).await.unwrap();
    assert_eq!(old, FencedAccess::Done(None));
    locker.revoke("n").await.unwrap();
    let next = locker.acquire("n").await.unwrap();
    let seen = store.read("n", next.fence()).await.unwrap();
    assert_eq!(seen, FencedAccess::Done(None));
    assert!(is_stale(&store.write("n", paused.fence(), b"1").await.unwrap()));
    assert_eq!(store.write("n", next.fence(), b"1").await.unwrap(), FencedAccess::Done(()));
}
