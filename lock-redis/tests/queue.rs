//! Waiting, rule by rule: several processes on one real server, each of which can stand still.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold::{
    Acquire, AcquireRequest, AdminBackend, Effect, ErrorKind, FencingToken, HeldReason, LeaseId,
    LockBackend, Release, RevocationListener, TryAcquire, Ttl,
};
use leasehold_redis::RedisConfig;
use support::{
    RedisServer, builder, exclusive, granted, held, id, key, process::Process, server::until,
    shared, ttl,
};

const SOON: Duration = Duration::from_millis(1_500);

fn two(config: impl Fn(&RedisServer) -> RedisConfig) -> (RedisServer, Process, Process) {
    let server = RedisServer::start();
    let (one, other) = (Process::start(config(&server)), Process::start(config(&server)));
    (server, one, other)
}

/// Waiters that look by themselves so rarely that only a push wakes them in time.
fn patient(server: &RedisServer) -> RedisConfig {
    builder(server).ticket_ttl(Duration::from_secs(60))
}

fn hold(process: &Process, name: &str) -> AcquireRequest {
    let request = exclusive(name);
    process.run(granted(&*process.backend, &request));
    request
}

fn release(process: &Process, request: &AcquireRequest) {
    let released = process.run(process.backend.release(request.key(), request.id()));
    assert_eq!(released.unwrap(), Release::Released);
}

/// How long it took, on a real clock.
fn timed<T>(process: &Process, work: impl FnOnce() -> T) -> (T, Duration) {
    let clock = process.backend.runtime().clone();
    let before = clock.now();
    let done = work();
    (done, clock.now().since(before))
}

fn process_channel(server: &RedisServer) -> String {
    let channels = server.command(&["PUBSUB", "CHANNELS", "lh:process:*"]).list();
    channels.into_iter().next().unwrap().text()
}

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
    let first = hold(&holder, "k");
    let _waiting = gone.queue(&exclusive("k"), 0);
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    release(&holder, &first);
    assert!(!holder.run(holder.backend.inspect(&key("k"))).unwrap().is_locked());
    // A try may not pass by the one that waits; one that waits itself may, since it hears its own answer.
    assert_eq!(holder.run(held(&*holder.backend, &exclusive("k"))).reason, HeldReason::Queue);
    let next = exclusive("k");
    let (_grant, took) = timed(&holder, || holder.granted(holder.wait(&next, SOON * 4)));
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_push_that_overtakes_its_answer_is_not_lost() {
    let (_server, holder, waiter) = two(patient);
    // Listening already, so that the first call of the next wait stands in the queue at once.
    let warm = hold(&holder, "warm");
    let waiting = waiter.queue(&exclusive("warm"), 0);
    release(&holder, &warm);
    waiter.granted(waiting);
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
    // The process listens.
    let warm = hold(&other, "warm");
    let waiting = process.queue(&exclusive("warm"), 0);
    release(&other, &warm);
    process.granted(waiting);
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
    let mute = leasehold_redis::RedisBackend::builder(server.url_as("mute", "pw"))
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
    release(&holder, &first);
    assert!(!holder.run(holder.backend.inspect(&key("k"))).unwrap().is_locked());
}

#[test]
fn one_script_grants_no_more_than_64_and_the_rest_follow() {
    let (_server, holder, readers) = two(patient);
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

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<LeaseId>>);

impl RevocationListener for Heard {
    fn revoked(&self, id: LeaseId) {
        self.0.lock().unwrap().push(id);
    }
}

#[test]
fn a_revocation_reaches_the_holders_process() {
    let (_server, holder, operator) = two(builder);
    let heard = Arc::new(Heard::default());
    let listener: Arc<dyn RevocationListener> = Arc::clone(&heard) as _;
    holder.run(async { holder.backend.watch_revocations(Arc::downgrade(&listener)) });
    holder.live(Duration::from_millis(100));
    let leases = [shared("k", 1, 0), shared("k", 1, 0)];
    for lease in &leases {
        holder.run(granted(&*holder.backend, lease));
    }
    let revoked = operator.run(operator.backend.revoke(&key("k"))).unwrap();
    assert_eq!(revoked.leases, 2);
    holder.live(Duration::from_millis(100));
    let mut told = heard.0.lock().unwrap().clone();
    told.sort();
    let mut ids: Vec<_> = leases.iter().map(AcquireRequest::id).collect();
    ids.sort();
    assert_eq!(told, ids);
}

#[test]
fn a_minimum_hold_does_not_outlive_a_revocation() {
    let (_server, holder, operator) = two(builder);
    let first = exclusive("k").with_min_hold(Duration::from_secs(50)).unwrap();
    let before = holder.run(granted(&*holder.backend, &first)).token;
    release(&holder, &first);
    assert_eq!(operator.run(operator.backend.revoke(&key("k"))).unwrap().leases, 1);
    let token: FencingToken = operator.run(granted(&*operator.backend, &exclusive("k"))).token;
    assert!(token > before);
}

#[test]
fn many_leases_are_extended_in_few_commands_each_for_itself() {
    let server = RedisServer::start();
    let process = Process::start(builder(&server).lanes(2));
    let batch = |request: &AcquireRequest, ttl: Ttl| leasehold::ExtendRequest {
        key: request.key().clone(),
        id: request.id(),
        ttl,
    };
    let requests: Vec<_> = (0..600).map(|n| exclusive(&format!("k{n}"))).collect();
    for request in &requests {
        process.run(process.backend.try_acquire(request)).map(drop).unwrap();
    }
    server.command(&["SET", "lh:{k7}", "foreign"]);
    process.run(process.backend.release(&key("k8"), requests[8].id())).unwrap();
    let leases: Vec<_> = requests.iter().map(|request| batch(request, ttl(90_000))).collect();
    let extend = || process.run(process.backend.batch().unwrap().extend_many(&leases));
    extend();
    server.command(&["CONFIG", "RESETSTAT"]);
    let outcomes = extend();
    assert!(server.calls("evalsha") <= 4, "{}", server.calls("evalsha"));
    for (index, outcome) in outcomes.iter().enumerate() {
        match (index, outcome) {
            (7, Err(error)) => {
                assert_eq!((error.kind(), error.key()), (ErrorKind::Foreign, Some(&key("k7"))));
            }
            (8, Ok(leasehold::Extension::Lost)) => {}
            (7 | 8, other) => panic!("{index}: {other:?}"),
            (_, outcome) => {
                assert!(matches!(outcome, Ok(leasehold::Extension::Extended)), "{index}");
            }
        }
    }
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
