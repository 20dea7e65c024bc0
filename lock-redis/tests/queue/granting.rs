//! Who is granted, by whom, and who is passed over.

use std::time::Duration;

use leasehold::{AcquireRequest, HeldReason, LockBackend, TryAcquire};

use crate::{
    SOON, hold, listen, patient, release,
    support::{
        RedisServer, builder, exclusive, granted, held, id, key, server::until, shared, ttl,
    },
    timed, two,
};

#[test]
fn the_release_makes_the_waiter_the_owner_without_another_command_of_it() {
    let (server, holder, waiter) = two(patient);
    let first = hold(&holder, "k");
    let next = exclusive("k");
    let waiting = waiter.queue(&next, 0);
    server.command(&["CONFIG", "RESETSTAT"]);
    release(&holder, &first);
    // The waiter's process stands still, and owns the key.
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!((state.leases.len(), state.waiters.len()), (1, 0));
    let (grant, took) = timed(&waiter, || waiter.granted(waiting));
    assert!(took < SOON, "{took:?}");
    assert_eq!(grant.token, state.leases[0].token);
    // The release, the look at it, and one publication.
    assert_eq!(server.calls("evalsha"), 2);
    assert_eq!(server.calls("publish"), 1);
}

#[test]
fn a_newcomer_never_takes_a_key_that_ran_out_while_somebody_waits() {
    let (_server, holder, waiter) = two(patient);
    let short = AcquireRequest::new(key("k"), id(), ttl(400));
    holder.run(granted(&*holder.backend, &short));
    let next = exclusive("k");
    let waiting = waiter.queue(&next, 0);
    // The holder's extension keeps the mark that somebody waits.
    holder.run(holder.backend.extend(&key("k"), short.id(), ttl(500))).unwrap();
    holder.live(Duration::from_millis(600));
    holder.run(held(&*holder.backend, &exclusive("k")));
    waiter.granted(waiting);
}

#[test]
fn a_waiter_whose_process_is_gone_is_passed_over_but_keeps_its_place() {
    let (server, holder, gone) = two(patient);
    let first = hold(&holder, "k");
    let lost = exclusive("k");
    let _waiting = gone.queue(&lost, 0);
    // The next one listens only after the other's connection was cut: that process stands still, and stays away.
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let next = exclusive("k");
    let waiting = holder.queue(&next, 1);
    release(&holder, &first);
    let (_grant, took) = timed(&holder, || holder.granted(waiting));
    assert!(took < SOON, "{took:?}");
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!(state.waiters.len(), 1, "its ticket is good still");
}

#[test]
fn a_waiter_whose_ticket_ended_is_never_granted() {
    let quick = |server: &RedisServer| builder(server).ticket_ttl(Duration::from_millis(300));
    let (server, holder, dead) = two(quick);
    let first = hold(&holder, "k");
    let lost = exclusive("k");
    let _waiting = dead.queue(&lost, 0);
    let next = exclusive("k");
    let waiting = holder.queue(&next, 1);
    holder.live(Duration::from_millis(400));
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!(state.waiters.len(), 1, "the dead one no longer waits");
    release(&holder, &first);
    holder.granted(waiting);
    assert_eq!(server.command(&["HLEN", "lh:{k}:w"]).int(), 0);
}

#[test]
fn a_process_that_stands_still_delays_the_next_by_no_more_than_its_ttl() {
    let (_server, holder, still) = two(builder);
    let first = hold(&holder, "k");
    let lost = AcquireRequest::new(key("k"), id(), ttl(300));
    let _waiting = still.queue(&lost, 0);
    let waiting = holder.queue(&exclusive("k"), 1);
    release(&holder, &first);
    let (_grant, took) = timed(&holder, || holder.granted(waiting));
    assert!(took < Duration::from_millis(300) + SOON, "{took:?}");
}

#[test]
fn when_nobody_ahead_hears_the_one_that_asks_takes_the_grant() {
    let (server, holder, gone) = two(patient);
    // It listens already: its first call with a ticket is the one that must be granted.
    listen(&holder, &gone);
    let first = hold(&holder, "k");
    let _waiting = gone.queue(&exclusive("k"), 0);
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    until("it listens again", || {
        holder.live(Duration::from_millis(5));
        server.command(&["PUBSUB", "CHANNELS", "lh:process:*"]).list().len() == 1
    });
    release(&holder, &first);
    assert!(!holder.run(holder.backend.inspect(&key("k"))).unwrap().is_locked());
    // A try may not pass by the one that waits; one that waits itself may, since it hears its own answer.
    assert_eq!(holder.run(held(&*holder.backend, &exclusive("k"))).reason, HeldReason::Queue);
    let next = exclusive("k");
    let (_grant, took) = timed(&holder, || holder.granted(holder.wait(&next, SOON * 4)));
    assert!(took < SOON, "{took:?}");
}

#[test]
fn one_script_grants_no_more_than_64_and_the_rest_follow() {
    let (_server, holder, readers) = two(patient);
    listen(&readers, &holder);
    let first = hold(&holder, "k");
    let mut waiting = Vec::new();
    for _ in 0..150 {
        waiting.push(readers.wait(&shared("k", 1, 0), Duration::from_secs(60)));
    }
    until("all stand in the queue", || {
        readers.live(Duration::from_millis(5));
        holder.run(holder.backend.inspect(&key("k"))).unwrap().waiters.len() == 150
    });
    release(&holder, &first);
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!((state.leases.len(), state.waiters.len()), (64, 86));
    let (_all, took) = timed(&readers, || {
        for each in waiting {
            readers.granted(each);
        }
    });
    assert!(took < SOON * 2, "{took:?}");
}

#[test]
fn a_try_of_an_id_that_waits_is_judged_at_its_place_and_keeps_it() {
    let (_server, holder, waiter) = two(patient);
    let first = hold(&holder, "k");
    let next = exclusive("k");
    let _waiting = waiter.queue(&next, 0);
    let behind = exclusive("k");
    let _behind = waiter.queue(&behind, 1);
    holder.run(held(&*holder.backend, &next));
    assert_eq!(holder.run(held(&*holder.backend, &behind)).reason, HeldReason::Queue);
    let state = holder.run(holder.backend.inspect(&key("k"))).unwrap();
    assert_eq!(state.waiters.len(), 2);
    release(&holder, &first);
    let again = holder.run(holder.backend.try_acquire(&next)).unwrap();
    assert!(matches!(again, TryAcquire::Granted(_)));
}
