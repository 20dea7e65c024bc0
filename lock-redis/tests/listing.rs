//! Listing on a real server: what `SCAN` gives, and what must not get in its way.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::collections::BTreeSet;

use leasehold::{Cursor, Effect, ErrorKind, ListRequest, LockBackend, LockKey, Locker, Release};
use leasehold_redis::RedisBackend;
use support::{RedisServer, builder, exclusive, fixture, granted};

async fn pages(backend: &RedisBackend, request: ListRequest) -> Vec<Vec<LockKey>> {
    let (mut pages, mut next) = (Vec::new(), Some(request.clone()));
    while let Some(asked) = next {
        let page = backend.admin().unwrap().list(&asked).await.unwrap();
        pages.push(page.keys.into_iter().map(|listed| listed.key).collect());
        next = page.next.map(|cursor| request.clone().after(cursor));
    }
    pages
}

fn text(keys: impl IntoIterator<Item = LockKey>) -> BTreeSet<String> {
    keys.into_iter().map(|key| key.as_str().to_owned()).collect()
}

#[tokio::test]
async fn keys_that_look_like_the_servers_own_names_are_listed_as_themselves() {
    let (_server, backend) = fixture().await;
    let keys = ["a", "a:w", "a}:x", "{a}", "%61", "lh:{a}", "lh:epoch:x", "a*}", "*", "\\"];
    for key in keys {
        granted(&backend, &exclusive(key)).await;
    }
    let all = pages(&backend, ListRequest::new("").unwrap()).await.concat();
    assert_eq!(text(all), keys.map(str::to_owned).into());
    let under_a = pages(&backend, ListRequest::new("a").unwrap()).await.concat();
    assert_eq!(text(under_a), ["a", "a:w", "a}:x", "a*}"].map(str::to_owned).into());
}

#[tokio::test]
async fn what_is_not_leaseholds_is_passed_over_and_left_alone() {
    let (server, backend) = fixture().await;
    granted(&backend, &exclusive("mine")).await;
    let foreign = ["lh:{text}", "lh:{}", "lh:{%6Dine}", "lh:other", "other:{mine}", "lh:{\u{7f}}"];
    for name in foreign {
        server.command(&["SET", name, "something else"]);
    }
    server.command(&["LPUSH", "lh:{list}", "1"]);
    let all = pages(&backend, ListRequest::new("").unwrap()).await.concat();
    assert_eq!(text(all), ["mine".to_owned()].into());
    assert_eq!(server.command(&["GET", "lh:{text}"]).text(), "something else");
}

#[tokio::test]
async fn backends_of_other_prefixes_do_not_see_each_other() {
    let server = RedisServer::start();
    let one = builder(&server).prefix("one").connect().await.unwrap();
    let two = builder(&server).prefix("one:two").connect().await.unwrap();
    granted(&one, &exclusive("a")).await;
    granted(&two, &exclusive("b")).await;
    for (backend, key) in [(&one, "a"), (&two, "b")] {
        let all = pages(backend, ListRequest::new("").unwrap()).await.concat();
        assert_eq!(text(all), [key.to_owned()].into());
    }
}

#[tokio::test]
async fn a_key_held_all_the_while_is_listed_while_others_come_and_go() {
    let (server, backend) = fixture().await;
    let mut held = BTreeSet::new();
    for number in 0..300 {
        let name = format!("held:{number}");
        granted(&backend, &exclusive(&name)).await;
        held.insert(name);
    }
    let request = ListRequest::new("held:").unwrap().page_size(20).unwrap();
    let (mut seen, mut next, mut round) = (BTreeSet::new(), Some(request.clone()), 0);
    while let Some(asked) = next {
        let page = backend.admin().unwrap().list(&asked).await.unwrap();
        seen.extend(text(page.keys.into_iter().map(|listed| listed.key)));
        next = page.next.map(|cursor| request.clone().after(cursor));
        // The table grows, and is moved, between the pages.
        for number in 0..400 {
            server.command(&["SET", &format!("noise:{round}:{number}"), "x"]);
        }
        let short = exclusive(&format!("other:{round}"));
        granted(&backend, &short).await;
        assert_eq!(backend.release(short.key(), short.id()).await.unwrap(), Release::Released);
        round += 1;
    }
    assert!(round > 1, "one page is no walk");
    assert_eq!(seen, held);
}

#[tokio::test]
async fn the_whole_listing_has_each_key_once_in_order() {
    let (_server, backend) = fixture().await;
    let locker = Locker::new(backend);
    let mut guards = Vec::new();
    for number in 0..40 {
        guards.push(locker.acquire(format!("k:{number:02}")).await.unwrap());
    }
    let listed = locker.list("k:").await.unwrap();
    let names: Vec<_> = listed.iter().map(|listed| listed.key.as_str()).collect();
    assert_eq!(names, (0..40).map(|number| format!("k:{number:02}")).collect::<Vec<_>>());
    let first = &listed[0].state.leases[0];
    assert_eq!(first.token, guards[0].token());
    assert_eq!(&first.holder, locker.config().holder());
}

#[tokio::test]
async fn a_word_that_is_no_cursor_is_refused() {
    let (_server, backend) = fixture().await;
    let request = ListRequest::new("").unwrap().after(Cursor::new("a:b"));
    let error = backend.admin().unwrap().list(&request).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
    assert!(error.to_string().contains("cursor"), "{error}");
}

#[tokio::test]
async fn a_replica_does_not_list() {
    let primary = RedisServer::start();
    let replica = RedisServer::replica_of(&primary);
    let backend = builder(&replica).connect().await.unwrap();
    let request = ListRequest::new("").unwrap();
    let error = backend.admin().unwrap().list(&request).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, Some("READONLY")));
}
