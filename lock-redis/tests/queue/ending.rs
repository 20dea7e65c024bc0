//! How a wait ends without a grant, and what it needs while it lasts.

use std::time::Duration;

use leasehold::{Acquire, AcquireRequest, Effect, ErrorKind, LockBackend, Release};

use crate::{
    SOON, hold, patient, release,
    support::{
        self, RedisServer, builder, exclusive, key, process::Process, server::until, shared, ttl,
    },
    timed, two,
};

#[test]
fn at_the_deadline_a_wait_holds_nothing_and_waits_no_more() {
    let (_server, holder, waiter) = two(patient);
    let first = hold(&holder, "k");
    let next = exclusive("k");
    let waiting = waiter.wait(&next, Duration::from_millis(200));
    let (ended, took) = timed(&waiter, || waiter.ended(waiting));
    assert!(matches!(ended, Ok(Acquire::TimedOut(_))));
    assert!(took >= Duration::from_millis(190) && took < SOON, "{took:?}");
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!((state.leases.len(), state.waiters.len()), (1, 0));
    release(&holder, &first);
    let error = waiter.run(waiter.backend.try_acquire(&next)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IdReused);
}

#[test]
fn after_its_deadline_a_waiter_that_stands_still_is_not_granted() {
    let (_server, holder, still) = two(patient);
    let first = hold(&holder, "k");
    let lost = exclusive("k");
    let waiting = still.wait(&lost, Duration::from_millis(300));
    still.live(Duration::from_millis(150));
    holder.live(Duration::from_millis(300));
    release(&holder, &first);
    assert!(!holder.run(holder.backend.inspect(&key("k"))).unwrap().is_locked());
    assert!(matches!(still.ended(waiting), Ok(Acquire::TimedOut(_))));
}

#[test]
fn a_deadline_that_the_server_does_not_answer_is_unknown_and_cleaned_up_later() {
    let server = RedisServer::start();
    let quick = Duration::from_millis(100);
    let config = || patient(&server).response_timeout(quick).connection_timeout(quick * 3);
    let (holder, waiter) = (Process::start(patient(&server)), Process::start(config()));
    let first = hold(&holder, "k");
    let next = exclusive("k");
    let waiting = waiter.wait(&next, Duration::from_millis(400));
    waiter.live(Duration::from_millis(200));
    server.pause();
    let error = waiter.ended(waiting).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Unknown));
    server.resume();
    waiter.live(Duration::from_millis(1_500));
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!(state.waiters.len(), 0);
    assert_eq!(server.command(&["HLEN", "lh:{k}:w"]).int(), 0, "not even its ended ticket");
    release(&holder, &first);
    assert!(!holder.run(holder.backend.inspect(&key("k"))).unwrap().is_locked());
}

#[test]
fn two_hundred_waiters_hold_no_connection_and_delay_nobody() {
    let server = RedisServer::start();
    let process = Process::start(patient(&server).lanes(4));
    let first = hold(&process, "k");
    let waiting: Vec<_> =
        (0..200).map(|_| process.wait(&exclusive("k"), Duration::from_secs(120))).collect();
    until("all stand in the queue", || {
        process.run(process.backend.inspect(&key("k"))).unwrap().waiters.len() == 200
    });
    let clients = server.info("clients", "connected_clients").unwrap();
    // Four lanes, the subscription, and this test's own question.
    assert_eq!(clients, "6");
    let (_done, took) = timed(&process, || {
        process.run(process.backend.extend(&key("k"), first.id(), support::long())).unwrap();
        let other = hold(&process, "other");
        release(&process, &other);
    });
    assert!(took < SOON, "{took:?}");
    for each in &waiting {
        each.abort();
    }
    until("all have left", || {
        process.live(Duration::from_millis(5));
        let state = process.run(process.backend.inspect(&key("k"))).unwrap();
        state.waiters.is_empty()
    });
    release(&process, &first);
    assert_eq!(server.command(&["EXISTS", "lh:{k}:w"]).int(), 0);
}

#[test]
fn a_wait_under_an_id_that_is_somebodys_touches_nothing() {
    let (_server, holder, other) = two(patient);
    let first = hold(&holder, "k");
    let twin = AcquireRequest::new(key("k"), first.id(), support::long())
        .with_mode(shared("k", 1, 2).mode(), 1)
        .unwrap();
    let waiting = other.wait(&twin, SOON);
    assert_eq!(other.ended(waiting).unwrap_err().kind(), ErrorKind::IdReused);
    other.live(Duration::from_millis(100));
    let extended = holder.run(holder.backend.extend(&key("k"), first.id(), ttl(1)));
    assert_eq!(extended.unwrap(), leasehold::Extension::Extended);
}

#[test]
fn waiters_outlive_a_restart_of_the_server() {
    let (mut server, holder, waiter) = two(builder);
    let first = hold(&holder, "k");
    let next = exclusive("k");
    let waiting = waiter.queue(&next, 0);
    server.restart_with_data();
    until("the holder reaches it again", || holder.run(holder.backend.inspect(&key("k"))).is_ok());
    let released = holder.run(holder.backend.release(&key("k"), first.id())).unwrap();
    assert_eq!(released, Release::Released);
    waiter.granted(waiting);
    assert!(waiter.run(waiter.backend.inspect(&key("k"))).unwrap().is_locked());
}

#[test]
fn every_structure_of_a_queue_expires() {
    let (server, holder, waiter) = two(patient);
    hold(&holder, "k");
    let _waiting = waiter.queue(&exclusive("k"), 0);
    let _waiting = waiter.queue(&shared("k", 1, 5), 1);
    for name in server.names() {
        let left = server.command(&["PTTL", &name]).int();
        assert!(left > 23 * 3_600 * 1_000, "{name} has {left} ms");
    }
    assert!(server.names().contains(&"lh:{k}:w".to_owned()));
}

#[test]
fn a_queued_limit_binds_those_who_come_later() {
    let (_server, holder, waiter) = two(patient);
    hold(&holder, "k");
    let _waiting = waiter.queue(&shared("k", 1, 5), 0);
    let error = holder.run(holder.backend.try_acquire(&shared("k", 1, 6))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitMismatch);
}
