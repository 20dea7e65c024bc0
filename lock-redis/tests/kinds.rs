//! The kinds of locks over a real server, each holder with connections of its own.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use leasehold::{Downgrade, ErrorKind, Locker, Release};
use support::{RedisServer, builder};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn process(server: &RedisServer) -> Locker {
    Locker::new(builder(server).connect().await.unwrap())
}

async fn processes(server: &RedisServer, count: usize) -> Vec<Locker> {
    join_all((0..count).map(|_| process(server))).await
}

/// Ends the lockers, so that their clean-up is done, then looks at the keys.
async fn nothing_stays(server: &RedisServer, lockers: Vec<Locker>, keys: &[&str]) {
    for locker in lockers {
        assert!(locker.shutdown(Duration::from_secs(10)).await.is_clean());
    }
    let look = process(server).await;
    for key in keys {
        let state = look.inspect(*key).await.unwrap();
        assert!(state.leases.is_empty() && state.waiters.is_empty(), "{key}: {state:?}");
    }
}

#[tokio::test]
async fn permits_of_many_processes_never_exceed_the_limit_and_all_come_back() {
    let server = RedisServer::start();
    let lockers = processes(&server, 3).await;
    let inside = Arc::new(AtomicU32::new(0));
    let workers = (0..18_u32).map(|number| {
        let gpus = lockers[number as usize % 3].semaphore("gpu", 4);
        let inside = Arc::clone(&inside);
        tokio::spawn(async move {
            for round in 0..4 {
                let permits = (number + round) % 3 + 1;
                let permit = gpus.permits(permits).wait_forever().await.unwrap();
                let now = inside.fetch_add(permits, Ordering::SeqCst) + permits;
                assert!(now <= 4, "{now} permits are out");
                tokio::task::yield_now().await;
                inside.fetch_sub(permits, Ordering::SeqCst);
                assert_eq!(permit.release().await.unwrap(), Release::Released);
            }
        })
    });
    for worker in join_all(workers).await {
        worker.unwrap();
    }
    assert_eq!(lockers[0].semaphore("gpu", 4).available().await.unwrap(), 4);
    nothing_stays(&server, lockers, &["gpu"]).await;
}

#[tokio::test]
async fn a_permit_of_a_crashed_holder_comes_back_with_its_ttl() {
    let server = RedisServer::start();
    let locker = process(&server).await;
    let gpus = locker.semaphore("gpu", 2);
    let asked = locker.runtime().now();
    std::mem::forget(gpus.permits(2).ttl(ms(300)).await.unwrap());
    let permits = gpus.acquire_many(2).await.unwrap();
    assert!(locker.runtime().now().since(asked) >= ms(300), "granted beside the live permits");
    permits.release().await.unwrap();
    assert_eq!(gpus.available().await.unwrap(), 2);
}

#[tokio::test]
async fn another_limit_is_refused_while_one_is_in_use() {
    let server = RedisServer::start();
    let locker = process(&server).await;
    let permit = locker.semaphore("gpu", 3).acquire().await.unwrap();
    let error = locker.semaphore("gpu", 4).acquire().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitMismatch);
    permit.release().await.unwrap();
    assert!(locker.semaphore("gpu", 4).acquire().await.is_ok());
}

#[tokio::test]
async fn a_waiting_writer_is_not_overtaken_by_later_readers() {
    let server = RedisServer::start();
    let locker = process(&server).await;
    let other = process(&server).await;
    let reader = locker.read("doc").await.unwrap();
    let beside = other.read("doc").await.unwrap();
    let writing = other.clone();
    let writer = tokio::spawn(async move { writing.write("doc").wait_forever().await.unwrap() });
    while locker.inspect("doc").await.unwrap().waiters.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(locker.read("doc").try_acquire().await.unwrap().is_none());
    let reading = locker.clone();
    let late = tokio::spawn(async move { reading.read("doc").wait_forever().await.unwrap() });
    while locker.inspect("doc").await.unwrap().waiters.len() < 2 {
        tokio::task::yield_now().await;
    }
    reader.release().await.unwrap();
    beside.release().await.unwrap();
    let writer = writer.await.unwrap();
    let state = locker.inspect("doc").await.unwrap();
    assert_eq!((state.leases.len(), state.waiters.len()), (1, 1), "a reader beside a writer");
    let token = writer.token();
    writer.release().await.unwrap();
    assert!(late.await.unwrap().token() > token);
    nothing_stays(&server, vec![locker, other], &["doc"]).await;
}

#[tokio::test]
async fn a_request_of_several_keys_is_one_lease_or_none() {
    let server = RedisServer::start();
    let locker = process(&server).await;
    let both = locker.acquire_all(["b", "a", "b"]).await.unwrap();
    let tokens: Vec<_> = both.tokens().map(|(key, token)| (key.to_string(), token)).collect();
    assert_eq!(tokens.len(), 2);
    for (key, token) in &tokens {
        assert_eq!(locker.inspect(key).await.unwrap().leases[0].token, *token);
    }
    assert!(locker.lock_all(["b", "c"]).try_acquire().await.unwrap().is_none());
    assert!(!locker.is_locked("c").await.unwrap());
    assert_eq!(both.release().await.unwrap(), Release::Released);
    nothing_stays(&server, vec![locker], &["a", "b", "c"]).await;
}

#[tokio::test]
async fn transfers_in_any_order_neither_lose_money_nor_block_each_other() {
    let server = RedisServer::start();
    let lockers = processes(&server, 2).await;
    let accounts: Arc<[AtomicI64; 3]> = Arc::new(std::array::from_fn(|_| AtomicI64::new(100)));
    let transfers = (0..8_usize).map(|number| {
        let (locker, accounts) = (lockers[number % 2].clone(), Arc::clone(&accounts));
        tokio::spawn(async move {
            for round in 0..3 {
                let (from, to) = ((number + round) % 3, (number * 2 + 1) % 3);
                let keys = [from, to].map(|account| format!("account:{account}"));
                let both = locker.lock_all(keys).wait_forever().await.unwrap();
                let read = |account: usize| accounts[account].load(Ordering::SeqCst);
                let (paid, got) = (read(from) - 1, read(to) + 1);
                tokio::task::yield_now().await;
                if from != to {
                    accounts[from].store(paid, Ordering::SeqCst);
                    accounts[to].store(got, Ordering::SeqCst);
                }
                both.release().await.unwrap();
            }
        })
    });
    for transfer in join_all(transfers).await {
        transfer.unwrap();
    }
    let sum: i64 = accounts.iter().map(|account| account.load(Ordering::SeqCst)).sum();
    assert_eq!(sum, 300, "an update was lost");
    nothing_stays(&server, lockers, &["account:0", "account:1", "account:2"]).await;
}

#[tokio::test]
async fn a_scope_takes_again_what_it_holds_and_nobody_else_does() {
    let server = RedisServer::start();
    let (locker, other) = (process(&server).await, process(&server).await);
    let scope = locker.reentrant();
    let outer = scope.acquire("k").await.unwrap();
    let same = scope.clone();
    let inner = tokio::spawn(async move { same.acquire("k").await.unwrap() }).await.unwrap();
    assert_eq!(inner.token(), outer.token());
    assert!(other.reentrant().try_acquire("k").await.unwrap().is_none());
    assert_eq!(scope.acquire_all(["j", "k"]).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(outer.release().await.unwrap(), None);
    assert!(other.try_acquire("k").await.unwrap().is_none());
    assert_eq!(inner.release().await.unwrap(), Some(Release::Released));
    assert!(other.try_acquire("k").await.unwrap().is_some());
    nothing_stays(&server, vec![locker, other], &["j", "k"]).await;
}

#[tokio::test]
async fn a_leader_that_resigns_is_followed_by_who_campaigned_next() {
    let server = RedisServer::start();
    let (one, other) = (process(&server).await, process(&server).await);
    let leadership = one.election("e").label("one").campaign().await.unwrap();
    let campaigning = other.clone();
    let next =
        tokio::spawn(
            async move { campaigning.election("e").label("other").campaign().await.unwrap() },
        );
    while one.inspect("e").await.unwrap().waiters.is_empty() {
        tokio::task::yield_now().await;
    }
    let mut changes = one.election("e").observe_every(ms(5)).unwrap();
    let leader = changes.next().await.unwrap().unwrap();
    assert_eq!((leader.holder.label(), leader.term), (Some("one"), leadership.term()));
    let term = leadership.term();
    leadership.resign().await.unwrap();
    let next = next.await.unwrap();
    assert!(next.term() > term);
    let leader = changes.next().await.unwrap().unwrap();
    assert_eq!((leader.holder.label(), leader.term), (Some("other"), next.term()));
    next.resign().await.unwrap();
    assert_eq!(changes.next().await.unwrap(), None);
    nothing_stays(&server, vec![one, other], &["e"]).await;
}

/// The leader's process is gone with all its tasks and connections; nobody releases anything.
#[tokio::test]
async fn a_leader_that_crashed_is_followed_once_its_lease_has_run_out() {
    let server = RedisServer::start();
    let follower = process(&server).await;
    let url = builder(&server);
    let crashed = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let locker = Locker::new(url.connect().await.unwrap());
            let leadership = locker.election("e").ttl(ms(1_500)).campaign().await.unwrap();
            let term = leadership.term();
            std::mem::forget((leadership, locker));
            term
        })
    });
    let term = crashed.join().unwrap();
    let next = follower.election("e").campaign().await.unwrap();
    assert!(next.term() > term);
}

#[tokio::test]
async fn the_owner_is_claimed_asked_for_and_cleared_by_itself_only() {
    let server = RedisServer::start();
    let (one, other) = (process(&server).await, process(&server).await);
    let (mine, theirs) = (one.election("o").label("pod-1"), other.election("o").label("pod-2"));
    assert!(mine.set_owner().await.unwrap());
    assert!(!theirs.set_owner().await.unwrap());
    assert!(mine.is_owner() && !theirs.is_owner());
    assert_eq!(theirs.owner().await.unwrap().unwrap().label(), Some("pod-1"));
    assert!(!theirs.remove_owner().await.unwrap());
    assert!(mine.is_owner());
    assert!(mine.remove_owner().await.unwrap());
    assert!(theirs.set_owner().await.unwrap());
    assert!(!mine.is_owner());
    drop((mine, theirs));
    nothing_stays(&server, vec![one, other], &["o"]).await;
}

#[tokio::test]
async fn readers_of_other_processes_come_in_when_the_writer_downgrades() {
    let server = RedisServer::start();
    let (one, other) = (process(&server).await, process(&server).await);
    let mut guard = one.write("doc").label("editor").keep_alive().await.unwrap();
    let token = guard.token();
    let reading = other.clone();
    let reader = tokio::spawn(async move { reading.read("doc").wait_forever().await.unwrap() });
    while one.inspect("doc").await.unwrap().waiters.is_empty() {
        tokio::task::yield_now().await;
    }
    let writing = other.clone();
    let writer = tokio::spawn(async move { writing.write("doc").wait_forever().await.unwrap() });
    while one.inspect("doc").await.unwrap().waiters.len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(guard.downgrade().await.unwrap(), Downgrade::Downgraded);
    let reader = reader.await.unwrap();
    assert!(reader.token() > token && guard.token() == token && guard.is_valid());
    let state = one.inspect("doc").await.unwrap();
    assert_eq!((state.leases.len(), state.waiters.len()), (2, 1), "{state:?}");
    assert_eq!(state.leases[0].holder.label(), Some("editor"));
    assert_eq!(reader.release().await.unwrap(), Release::Released);
    assert!(!writer.is_finished(), "a writer beside a reader");
    assert_eq!(guard.release().await.unwrap(), Release::Released);
    assert_eq!(writer.await.unwrap().release().await.unwrap(), Release::Released);
    nothing_stays(&server, vec![one, other], &["doc"]).await;
}
