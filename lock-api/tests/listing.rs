//! Listing: what is refused, and what a prefix wrapper makes of it.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

use std::sync::Arc;

use leasehold::{
    Cursor, Effect, ErrorKind, ListRequest, LockBackend, LockKey, Locker, wrap::Prefix,
};
use leasehold_memory::MemoryBackend;

fn names(listed: Vec<leasehold::ListedKey>) -> Vec<String> {
    listed.into_iter().map(|listed| listed.key.to_string()).collect()
}

#[test]
fn a_prefix_or_page_out_of_bounds_is_refused_by_name() {
    let long = "x".repeat(LockKey::MAX_LEN + 1);
    let page = |size| ListRequest::new("").and_then(|request| request.page_size(size));
    for (field, refused) in [
        ("prefix", ListRequest::new(long)),
        ("prefix", ListRequest::new("a\nb")),
        ("page_size", page(0)),
        ("page_size", page(ListRequest::MAX_PAGE + 1)),
    ] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
        assert!(error.to_string().contains(field), "{error}");
    }
    assert!(page(1).is_ok() && page(ListRequest::MAX_PAGE).is_ok());
}

#[tokio::test]
async fn a_prefixed_backend_lists_its_own_keys_by_their_own_names() {
    let server = Arc::new(MemoryBackend::new());
    let tenant = |name| Locker::new(Prefix::new(Arc::clone(&server), name).unwrap());
    let (a, ab) = (tenant("a"), tenant("ab"));
    let _of_a = (a.acquire("x:1").await.unwrap(), a.acquire("y").await.unwrap());
    let _of_ab = ab.acquire("x:2").await.unwrap();
    assert_eq!(names(a.list("x").await.unwrap()), ["x:1"]);
    // Prefixes without an end of their own run into each other, here as in the keys themselves.
    assert_eq!(names(a.list("").await.unwrap()), ["bx:2", "x:1", "y"]);
    assert_eq!(names(ab.list("").await.unwrap()), ["x:2"]);
    let whole = Locker::from_arc(Arc::clone(&server), leasehold::Config::default());
    assert_eq!(names(whole.list("a").await.unwrap()), ["abx:2", "ax:1", "ay"]);
}

#[tokio::test]
async fn a_prefix_is_put_before_every_page() {
    let server = Arc::new(MemoryBackend::new());
    let tenant = Locker::new(Prefix::new(Arc::clone(&server), "a:").unwrap());
    let mut guards = vec![Locker::new(server).acquire("b:0").await.unwrap()];
    for number in 0..5 {
        guards.push(tenant.acquire(format!("k{number}")).await.unwrap());
    }
    let first = ListRequest::new("k").unwrap().page_size(2).unwrap();
    let (mut seen, mut next) = (Vec::new(), Some(first.clone()));
    while let Some(request) = next {
        let page = tenant.list_page(&request).await.unwrap();
        assert!(page.keys.len() <= 2);
        seen.extend(names(page.keys));
        next = page.next.map(|cursor| first.clone().after(Cursor::new(cursor.as_str())));
    }
    assert_eq!(seen, ["k0", "k1", "k2", "k3", "k4"]);
}

#[tokio::test]
async fn a_prefix_too_long_behind_a_prefix_is_refused() {
    let tenant = Prefix::new(MemoryBackend::new(), "tenant:").unwrap();
    let request = ListRequest::new("x".repeat(LockKey::MAX_LEN - 3)).unwrap();
    let error = tenant.admin().unwrap().list(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn more_keys_than_a_page_holds_are_all_listed() {
    let locker = Locker::new(MemoryBackend::new());
    let mut guards = Vec::new();
    for number in 0..ListRequest::MAX_PAGE + 5 {
        guards.push(locker.acquire(format!("{number:05}")).await.unwrap());
    }
    let listed = names(locker.list("").await.unwrap());
    assert_eq!(listed.len(), guards.len());
    assert!(listed.is_sorted());
}
