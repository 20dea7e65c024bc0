//! How a grant reaches its waiter: in time, late, twice, or not at all.

use std::time::Duration;

use leasehold::{AcquireRequest, LockBackend};
use leasehold_redis::RedisBackend;

use crate::{
    SOON, hold, listen, patient, process_channel, release,
    support::{RedisServer, exclusive, granted, id, key, process::Process, server::until, ttl},
    timed, two,
};

#[test]
fn a_push_that_overtakes_its_answer_is_not_lost() {
    let (_server, holder, waiter) = two(patient);
    // Listening already, so that the first call of the next wait stands in the queue at once.
    listen(&waiter, &holder);
    for _ in 0..20 {
        let first = hold(&holder, "k");
        let next = exclusive("k");
        let waiting = waiter.wait(&next, Duration::from_secs(20));
        // Lives just long enough to send; the answer stays in the socket beside the push.
        until("it stands in the queue", || {
            waiter.run(tokio::task::yield_now());
            !holder.run(holder.backend.inspect(&key("k"))).unwrap().waiters.is_empty()
        });
        release(&holder, &first);
        let (_grant, took) = timed(&waiter, || waiter.granted(waiting));
        assert!(took < SOON, "{took:?}");
        release(&waiter, &next);
    }
}

#[test]
fn a_grant_heard_late_counts_from_when_it_was_made() {
    let (_server, holder, waiter) = two(patient);
    let clock = waiter.backend.runtime().clone();
    let first = hold(&holder, "k");
    let waiting = waiter.queue(&exclusive("k"), 0);
    release(&holder, &first);
    let made_before = clock.now();
    holder.live(Duration::from_millis(300));
    let grant = waiter.granted(waiting);
    assert!(grant.since <= made_before, "{:?} after {made_before:?}", grant.since);
    assert!(made_before.since(grant.since) < SOON);
}

#[test]
fn a_grant_that_is_mostly_over_when_it_is_heard_is_extended_first() {
    let (_server, holder, waiter) = two(patient);
    let clock = waiter.backend.runtime().clone();
    let first = hold(&holder, "k");
    let next = AcquireRequest::new(key("k"), id(), ttl(2_000));
    let waiting = waiter.queue(&next, 0);
    release(&holder, &first);
    holder.live(Duration::from_millis(1_300));
    let resumed = clock.now();
    let grant = waiter.granted(waiting);
    assert!(grant.since >= resumed);
    let remaining = holder.run(holder.backend.inspect(&key("k"))).unwrap().leases[0].remaining;
    assert!(remaining > Duration::from_millis(1_000), "{remaining:?}");
}

#[test]
fn a_grant_that_is_over_when_it_is_heard_is_queued_for_again() {
    let (_server, holder, waiter) = two(patient);
    let first = hold(&holder, "k");
    let next = AcquireRequest::new(key("k"), id(), ttl(200));
    let waiting = waiter.queue(&next, 0);
    release(&holder, &first);
    holder.live(Duration::from_millis(400));
    let between = exclusive("k");
    let lost = holder.run(granted(&*holder.backend, &between)).token;
    let took = holder.backend.runtime().now();
    let holding = waiter.run(async {
        waiter.backend.runtime().sleep(Duration::from_millis(200)).await;
        waiter.backend.inspect(&key("k")).await.unwrap()
    });
    assert_eq!((holding.leases.len(), holding.waiters.len()), (1, 1), "{took:?}");
    release(&holder, &between);
    assert!(waiter.granted(waiting).token > lost);
}

#[test]
fn a_grant_pushed_to_nobody_is_given_back() {
    let (server, process, other) = two(patient);
    listen(&process, &other);
    let stray = hold(&other, "k");
    let record = "lh:{k}";
    let push =
        format!("grant {} 1 1000000 60000000 {} {record}", stray.id().expose_hex(), "-".repeat(24));
    server.command(&["PUBLISH", &process_channel(&server), &push]);
    process.live(Duration::from_millis(100));
    assert!(!other.run(other.backend.inspect(&key("k"))).unwrap().is_locked());
}

#[test]
fn a_second_word_of_a_grant_gives_nothing_back() {
    let (server, holder, waiter) = two(patient);
    let mut listener = server.client();
    let first = hold(&holder, "k");
    let next = exclusive("k");
    let waiting = waiter.queue(&next, 0);
    let channel = process_channel(&server);
    listener.call(&["SUBSCRIBE", &channel]).unwrap();
    release(&holder, &first);
    waiter.granted(waiting);
    let push = listener.read().unwrap().list().pop().unwrap().text();
    assert!(push.starts_with("grant "), "{push}");
    server.command(&["PUBLISH", &channel, &push]);
    waiter.live(Duration::from_millis(100));
    assert!(waiter.run(waiter.backend.inspect(&key("k"))).unwrap().is_locked());
}

#[test]
fn without_any_push_the_waiters_own_look_finds_the_key_free() {
    let server = RedisServer::start();
    let rule = "ACL SETUSER mute on >pw ~* &* +@all -publish";
    server.command(&rule.split(' ').collect::<Vec<_>>());
    let mute = RedisBackend::builder(server.url_as("mute", "pw"))
        .without_quarantine()
        .ticket_ttl(Duration::from_millis(600));
    let process = Process::start(mute);
    let first = hold(&process, "k");
    let waiting = process.queue(&exclusive("k"), 0);
    release(&process, &first);
    let (_grant, took) = timed(&process, || process.granted(waiting));
    assert!(took < Duration::from_millis(200) + SOON, "{took:?}");
}

#[test]
fn a_word_lost_while_nobody_listened_is_made_up_for_by_listening_again() {
    let (server, holder, waiter) = two(patient);
    let first = hold(&holder, "k");
    let waiting = waiter.queue(&exclusive("k"), 0);
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    release(&holder, &first);
    // Its own next look would be 20 s away.
    let (_grant, took) = timed(&waiter, || waiter.granted(waiting));
    assert!(took < SOON * 2, "{took:?}");
}

#[test]
fn an_end_that_comes_sooner_than_known_is_told() {
    let (_server, holder, waiter) = two(patient);
    let first = exclusive("k").with_min_hold(Duration::from_millis(200)).unwrap();
    holder.run(granted(&*holder.backend, &first));
    let waiting = waiter.queue(&exclusive("k"), 0);
    release(&holder, &first);
    let (_grant, took) = timed(&waiter, || waiter.granted(waiting));
    assert!(took < SOON, "{took:?}");
}

/// A waiter whose user may do everything but listen.
fn deaf(server: &RedisServer, ticket: Duration) -> Process {
    let rule = "ACL SETUSER deaf on >pw ~* &* +@all -subscribe";
    server.command(&rule.split(' ').collect::<Vec<_>>());
    let config = RedisBackend::builder(server.url_as("deaf", "pw")).without_quarantine();
    Process::start(config.ticket_ttl(ticket))
}

#[test]
fn nobody_stands_in_the_queue_before_its_process_is_known_to_listen() {
    let server = RedisServer::start();
    let holder = Process::start(patient(&server));
    let waiter = deaf(&server, Duration::from_secs(60));
    let first = hold(&holder, "k");
    let waiting = waiter.wait(&exclusive("k"), Duration::from_secs(600));
    // The second refusal comes well after whatever followed the first answer.
    until("it tried to listen twice", || {
        waiter.live(Duration::from_millis(5));
        let stats = server.info("commandstats", "cmdstat_subscribe").unwrap_or_default();
        let refused = stats.split("rejected_calls=").nth(1).and_then(|rest| rest.split(',').next());
        refused.is_some_and(|refused| refused.parse::<u32>().unwrap() >= 2)
    });
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!(state.waiters.len(), 0);
    server.command(&["ACL", "SETUSER", "deaf", "+subscribe"]);
    until("it stands in the queue", || {
        waiter.live(Duration::from_millis(5));
        !holder.run(holder.backend.inspect(&key("k"))).unwrap().waiters.is_empty()
    });
    release(&holder, &first);
    let (_grant, took) = timed(&waiter, || waiter.granted(waiting));
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_process_that_may_not_listen_is_granted_by_trying_again() {
    let server = RedisServer::start();
    let holder = Process::start(patient(&server));
    let waiter = deaf(&server, Duration::from_millis(600));
    let first = hold(&holder, "k");
    let waiting = waiter.wait(&exclusive("k"), Duration::from_secs(600));
    waiter.live(Duration::from_millis(50));
    release(&holder, &first);
    let (_grant, took) = timed(&waiter, || waiter.granted(waiting));
    assert!(took < Duration::from_millis(300) + SOON, "{took:?}");
}
