//! A waiting future dropped at any of its polls leaves nothing.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures::{FutureExt as _, task::noop_waker};
use leasehold::{AcquireRequest, KeyState, LockBackend, TryAcquire, VirtualClock};
use leasehold_memory::MemoryBackend;

use crate::support::*;

fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to be ready"),
    }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&noop_waker()))
}

fn shown(backend: &MemoryBackend) -> KeyState {
    now(backend.inspect(&key("k"))).unwrap()
}

/// What happens to the key between two polls of the victim.
type Event = fn(&MemoryBackend, &VirtualClock);

const EVENTS: [Event; 6] = [
    |_, clock| clock.jump_to(at(1)),
    |backend, _| {
        now(backend.extend(&key("k"), id(1), ttl(20))).unwrap();
    },
    // The end comes earlier now: the minimum hold is over at 4 s.
    |backend, _| {
        now(backend.release(&key("k"), id(1))).unwrap();
    },
    // Now it runs out; whoever is first is granted at its next poll.
    |_, clock| clock.jump_to(at(4)),
    // A tick by somebody else: the victim is granted without being polled.
    |backend, _| {
        let newcomer = now(backend.acquire(&by(9), at(0))).unwrap();
        assert!(matches!(newcomer, leasehold::Acquire::TimedOut(_)));
    },
    |_, clock| clock.jump_to(at(5)),
];

/// Runs the events, polls the victim and one behind it before each, and drops the victim after `polls` of its polls.
/// Returns whether the victim was ready before that.
fn drop_after(polls: usize, victim: &AcquireRequest) -> bool {
    let (backend, clock) = MemoryBackend::manual(1);
    let (first, last) = (by(1).with_min_hold(secs(4)).unwrap(), by(3));
    granted(&now(backend.try_acquire(&first)).unwrap());
    let mut waiting = Some(backend.acquire(victim, at(60)));
    let mut behind = backend.acquire(&last, at(60)).fuse();
    for (number, event) in EVENTS.into_iter().enumerate() {
        waiting = waiting.filter(|_| number < polls);
        if waiting.as_mut().is_some_and(|future| poll(future.as_mut()).is_ready()) {
            return true;
        }
        let _granted_at_last = poll(Pin::new(&mut behind));
        event(&backend, &clock);
    }
    drop(waiting);
    let state = shown(&backend);
    assert_eq!(state.waiters, [], "after {polls} polls");
    assert_eq!(state.leases[0].holder, *last.holder(), "after {polls} polls");
    let _granted_now = poll(Pin::new(&mut behind));
    drop(behind);
    now(backend.release(&key("k"), last.id())).unwrap();
    assert_eq!(shown(&backend), KeyState::default(), "after {polls} polls");
    assert_eq!(clock.timers(), 0, "after {polls} polls");
    false
}

#[test]
fn an_acquire_dropped_after_any_poll_leaves_neither_place_nor_lease_nor_timer() {
    for victim in [by(2), by(2).with_min_hold(secs(9)).unwrap()] {
        let ready = (0..=EVENTS.len()).map(|polls| drop_after(polls, &victim));
        let ready: Vec<_> = ready.collect();
        // The last row shows that the victim would have been granted: the drops before it were in time.
        assert_eq!(ready, [false, false, false, false, false, true, true]);
    }
}

#[test]
fn a_lease_granted_to_a_dropped_waiter_goes_to_the_next_one_before_the_drop_returns() {
    let (backend, clock) = MemoryBackend::manual(1);
    granted(&now(backend.try_acquire(&by(1))).unwrap());
    let (victim, behind) = (by(2).with_min_hold(secs(9)).unwrap(), by(3));
    let mut waiting = backend.acquire(&victim, at(60));
    assert!(poll(waiting.as_mut()).is_pending());
    let mut next = backend.acquire(&behind, at(60));
    assert!(poll(next.as_mut()).is_pending());

    now(backend.release(&key("k"), id(1))).unwrap();
    assert_eq!(shown(&backend).leases[0].holder, *victim.holder());
    drop(waiting);
    assert_eq!(shown(&backend).leases[0].holder, *behind.holder());
    assert!(poll(next.as_mut()).is_ready());
    assert_eq!(clock.timers(), 0);
}

#[test]
fn dropping_one_of_two_futures_of_an_id_takes_nothing_from_the_other() {
    let (backend, _clock) = MemoryBackend::manual(1);
    granted(&now(backend.try_acquire(&by(1))).unwrap());
    let request = by(2);
    let mut first = backend.acquire(&request, at(60));
    let mut again = backend.acquire(&request, at(60));
    let mut third = backend.acquire(&request, at(60));
    for future in [&mut first, &mut again, &mut third] {
        assert!(poll(future.as_mut()).is_pending());
    }
    drop(first);
    assert_eq!(shown(&backend).waiters.len(), 1);
    now(backend.release(&key("k"), id(1))).unwrap();
    assert!(poll(again.as_mut()).is_ready());
    drop(third);
    assert_eq!(shown(&backend).leases[0].holder, *request.holder());
}

#[test]
fn a_dropped_acquire_of_several_keys_leaves_nothing() {
    let (backend, clock) = MemoryBackend::manual(1);
    granted(&now(backend.try_acquire(&by(1))).unwrap());
    let both = AcquireRequest::for_keys([key("k"), key("l")], id(2), ttl(10)).unwrap();
    let mut waiting = backend.acquire(&both, at(60));
    assert!(poll(waiting.as_mut()).is_pending());
    drop(waiting);
    now(backend.release(&key("k"), id(1))).unwrap();
    let again = now(backend.try_acquire(&by(3))).unwrap();
    assert!(matches!(again, TryAcquire::Granted(_)));
    assert_eq!(clock.timers(), 0);
}

#[test]
fn a_grant_that_ran_out_before_anybody_looked_is_waited_for_again() {
    let (backend, clock) = MemoryBackend::manual(1);
    granted(&now(backend.try_acquire(&by(1))).unwrap());
    let request = by(2);
    let mut waiting = backend.acquire(&request, at(60));
    assert!(poll(waiting.as_mut()).is_pending());
    now(backend.release(&key("k"), id(1))).unwrap();
    let missed = shown(&backend).leases[0].token;

    clock.jump_to(at(10));
    granted(&now(backend.try_acquire(&by(3))).unwrap());
    assert!(poll(waiting.as_mut()).is_pending(), "it waits behind the newcomer");
    clock.jump_to(at(20));
    let Poll::Ready(outcome) = poll(waiting.as_mut()) else {
        panic!("the key is free");
    };
    let grant = acquired(&outcome.unwrap());
    assert!(grant.token > missed);
    assert_eq!(grant.since, at(20));
}
