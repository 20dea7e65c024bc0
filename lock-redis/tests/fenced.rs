//! A fenced store on a real server refuses a stale holder on read and write.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use leasehold::{
    ErrorKind, FencingToken, LeaseId, Locker,
    fenced::{Fence, FencedAccess, FencedStore},
};
use leasehold_redis::FencedRedis;
use support::{RedisServer, builder};

fn fence(token: u64, owner: u8) -> Fence {
    Fence { token: FencingToken::new(token).unwrap(), owner: LeaseId::from_bytes([owner; 16]) }
}

fn is_stale<T>(access: &FencedAccess<T>) -> bool {
    matches!(access, FencedAccess::Stale(_))
}

async fn store(server: &RedisServer) -> FencedRedis {
    FencedRedis::connect(builder(server)).await.unwrap()
}

#[tokio::test]
async fn a_read_alone_raises_the_fence() {
    let server = RedisServer::start();
    let store = store(&server).await;
    assert_eq!(store.write("n", fence(1, 1), b"old\0").await.unwrap(), FencedAccess::Done(()));
    let seen = FencedAccess::Done(Some(b"old\0".to_vec()));
    assert_eq!(store.read("n", fence(2, 2)).await.unwrap(), seen);
    assert!(is_stale(&store.write("n", fence(1, 1), b"late").await.unwrap()));
    let FencedAccess::Stale(stale) = store.read("n", fence(1, 1)).await.unwrap() else {
        panic!("a stale read passed")
    };
    assert_eq!((stale.shown.get(), stale.newest.get()), (1, 2));
    assert_eq!(store.read("n", fence(2, 2)).await.unwrap(), seen);
}

#[tokio::test]
async fn an_equal_token_passes_only_from_its_owner_and_a_removed_value_keeps_its_fence() {
    let server = RedisServer::start();
    let store = store(&server).await;
    assert_eq!(store.remove("n", fence(5, 1)).await.unwrap(), FencedAccess::Done(()));
    assert!(is_stale(&store.write("n", fence(5, 2), b"twin").await.unwrap()));
    assert!(is_stale(&store.write("n", fence(4, 1), b"late").await.unwrap()));
    assert_eq!(store.write("n", fence(5, 1), b"mine").await.unwrap(), FencedAccess::Done(()));
}

#[tokio::test]
async fn a_token_from_the_future_locks_nobody_out() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let error = store.write("n", fence((1 << 53) - 1, 1), b"x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(store.write("n", fence(1, 1), b"y").await.unwrap(), FencedAccess::Done(()));
}

#[tokio::test]
async fn no_update_is_lost_when_a_paused_holder_wakes_up() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let locker = Locker::new(builder(&server).connect().await.unwrap());
    let paused = locker.acquire("n").await.unwrap();
    let shown = paused.fence();
    assert_eq!(store.read("n", shown).await.unwrap(), FencedAccess::Done(None));
    paused.release().await.unwrap();
    let next = locker.acquire("n").await.unwrap();
    assert_eq!(store.read("n", next.fence()).await.unwrap(), FencedAccess::Done(None));
    assert!(is_stale(&store.write("n", shown, b"1").await.unwrap()));
    assert_eq!(store.write("n", next.fence(), b"1").await.unwrap(), FencedAccess::Done(()));
}

#[tokio::test]
async fn a_foreign_value_is_left_alone() {
    let server = RedisServer::start();
    let store = store(&server).await;
    store.write("n", fence(1, 1), b"x").await.unwrap().or_lost().unwrap();
    let name = server.names().pop().unwrap();
    server.command(&["SET", &name, "theirs"]);
    assert_eq!(store.read("n", fence(2, 1)).await.unwrap_err().kind(), ErrorKind::Foreign);
    assert_eq!(server.command(&["GET", &name]).text(), "theirs");
}
