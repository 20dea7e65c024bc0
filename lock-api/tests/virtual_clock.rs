//! The clock that is turned by hand: every deadline, in order, on any executor.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{executor::LocalPool, task::LocalSpawnExt as _};
use leasehold::{Clock, Timestamp, VirtualClock, sleep, timeout_at};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

type Log = Arc<Mutex<Vec<String>>>;

/// A task that notes when it woke.
fn note(clock: &VirtualClock, log: &Log, name: &'static str, deadline: Timestamp) {
    let (clock, log) = (clock.clone(), Arc::clone(log));
    tokio::spawn(async move {
        clock.sleep_until(deadline).await;
        log.lock().unwrap().push(format!("{name}@{}", clock.now()));
    });
}

fn noted(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[tokio::test]
async fn it_starts_at_its_origin_and_stands_still() {
    let clock = VirtualClock::new();
    assert_eq!(clock.now(), Timestamp::ORIGIN);
    clock.settle().await;
    assert_eq!((clock.now(), clock.next_deadline(), clock.timers()), (Timestamp::ORIGIN, None, 0));
}

#[tokio::test]
async fn clones_are_one_clock() {
    let clock = VirtualClock::new();
    clock.clone().advance(secs(3)).await;
    assert_eq!(clock.now(), at(3));
}

#[tokio::test]
async fn advancing_stops_at_every_deadline_in_order() {
    let (clock, log) = (VirtualClock::new(), Log::default());
    note(&clock, &log, "late", at(5));
    note(&clock, &log, "early", at(1));
    note(&clock, &log, "middle", at(3));
    clock.advance(secs(4)).await;
    assert_eq!(noted(&log), ["early@1s", "middle@3s"]);
    assert_eq!((clock.now(), clock.next_deadline()), (at(4), Some(at(5))));
    clock.advance(secs(1)).await;
    assert_eq!(noted(&log), ["late@5s"]);
}

#[tokio::test]
async fn equal_deadlines_wake_in_the_order_in_which_they_began() {
    let (clock, log) = (VirtualClock::new(), Log::default());
    for name in ["first", "second", "third", "fourth"] {
        note(&clock, &log, name, at(1));
    }
    clock.advance(secs(1)).await;
    assert_eq!(noted(&log), ["first@1s", "second@1s", "third@1s", "fourth@1s"]);
}

#[tokio::test]
async fn a_task_that_sleeps_again_on_the_way_is_woken_again() {
    let (clock, log) = (VirtualClock::new(), Log::default());
    let (ticking, ticks) = (clock.clone(), Arc::clone(&log));
    tokio::spawn(async move {
        for _ in 0..3 {
            sleep(&ticking, secs(5)).await;
            ticks.lock().unwrap().push(ticking.now().to_string());
        }
    });
    clock.advance(secs(60)).await;
    assert_eq!(noted(&log), ["5s", "10s", "15s"]);
    assert_eq!((clock.now(), clock.timers()), (at(60), 0));
}

#[tokio::test]
async fn one_nanosecond_before_its_deadline_a_sleep_goes_on() {
    let (clock, log) = (VirtualClock::new(), Log::default());
    note(&clock, &log, "exact", at(1));
    clock.advance(secs(1) - Duration::from_nanos(1)).await;
    assert_eq!(noted(&log), [""; 0]);
    clock.advance(Duration::from_nanos(1)).await;
    assert_eq!(noted(&log), ["exact@1s"]);
}

#[tokio::test]
async fn a_deadline_that_has_passed_is_ready_at_once() {
    let clock = VirtualClock::new();
    clock.advance(secs(2)).await;
    for deadline in [Timestamp::ORIGIN, at(1), at(2)] {
        assert!(futures::poll!(clock.sleep_until(deadline)).is_ready(), "{deadline}");
    }
    assert!(futures::poll!(clock.sleep_until(at(3))).is_pending());
}

#[tokio::test]
async fn a_dropped_timer_is_forgotten() {
    let clock = VirtualClock::new();
    let (mut near, mut far) = (clock.sleep_until(at(1)), clock.sleep_until(at(2)));
    assert!(futures::poll!(&mut near).is_pending() && futures::poll!(&mut far).is_pending());
    assert_eq!((clock.timers(), clock.next_deadline()), (2, Some(at(1))));
    drop(near);
    assert_eq!((clock.timers(), clock.next_deadline()), (1, Some(at(2))));
    drop(far);
    assert_eq!((clock.timers(), clock.next_deadline()), (0, None));
}

#[tokio::test]
async fn a_sleep_polled_often_is_one_timer() {
    let clock = VirtualClock::new();
    let mut nap = clock.sleep_until(at(1));
    for _ in 0..5 {
        assert!(futures::poll!(&mut nap).is_pending());
    }
    assert_eq!(clock.timers(), 1);
}

#[tokio::test]
async fn time_never_goes_back() {
    let clock = VirtualClock::new();
    clock.jump_to(at(5));
    clock.jump_to(at(3));
    assert_eq!(clock.now(), at(5));
}

#[tokio::test]
async fn a_dropped_advance_leaves_time_where_it_was() {
    let clock = VirtualClock::new();
    let mut nap = clock.sleep_until(at(2));
    assert!(futures::poll!(&mut nap).is_pending());
    {
        let mut advance = Box::pin(clock.advance(secs(10)));
        while clock.timers() > 0 {
            assert!(futures::poll!(&mut advance).is_pending());
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(clock.now(), at(2));
}

/// What is waited for may be polled by the very task that turns the clock.
#[tokio::test]
async fn advancing_beside_a_sleep_in_one_task_comes_to_an_end() {
    let clock = VirtualClock::new();
    let (woke, ()) = tokio::join!(
        async {
            clock.sleep_until(at(1)).await;
            clock.now()
        },
        clock.advance(secs(3)),
    );
    assert_eq!((woke, clock.now()), (at(1), at(3)));
}

/// As a backend's waiters do, which look at the time whenever they are looked at.
#[tokio::test]
async fn advancing_beside_one_that_reads_the_clock_at_every_poll_comes_to_an_end() {
    let clock = VirtualClock::new();
    let mut nap = clock.sleep_until(at(1));
    let reading = std::future::poll_fn(|context| {
        let _now = clock.now();
        nap.as_mut().poll(context)
    });
    let ((), ()) = tokio::join!(reading, clock.advance(secs(3)));
    assert_eq!(clock.now(), at(3));
}

#[tokio::test]
async fn a_result_that_is_ready_at_its_deadline_counts() {
    let clock = VirtualClock::new();
    let in_time = tokio::spawn({
        let clock = clock.clone();
        async move { timeout_at(&clock, at(1), clock.sleep_until(at(1))).await }
    });
    let too_late = tokio::spawn({
        let clock = clock.clone();
        async move { timeout_at(&clock, at(1), clock.sleep_until(at(2))).await }
    });
    clock.advance(secs(1)).await;
    assert_eq!(in_time.await.unwrap(), Some(()));
    assert_eq!(too_late.await.unwrap(), None);
    assert_eq!(clock.timers(), 0, "the loser's timer is forgotten");
}

#[test]
fn it_runs_on_an_executor_that_is_not_tokio() {
    let (clock, mut pool) = (VirtualClock::new(), LocalPool::new());
    let log = Log::default();
    for (name, seconds) in [("b", 2), ("a", 1)] {
        let (clock, log) = (clock.clone(), Arc::clone(&log));
        let task = async move {
            clock.sleep_until(at(seconds)).await;
            log.lock().unwrap().push(format!("{name}@{}", clock.now()));
        };
        pool.spawner().spawn_local(task).unwrap();
    }
    pool.run_until(clock.advance(secs(3)));
    assert_eq!(noted(&log), ["a@1s", "b@2s"]);
}

#[test]
fn an_executor_that_runs_its_tasks_itself_jumps_from_deadline_to_deadline() {
    let (clock, mut pool) = (VirtualClock::new(), LocalPool::new());
    let napping = clock.clone();
    let nap = async move {
        sleep(&napping, secs(1)).await;
        sleep(&napping, secs(1)).await;
    };
    pool.spawner().spawn_local(nap).unwrap();
    pool.run_until_stalled();
    let mut stops = Vec::new();
    while let Some(deadline) = clock.next_deadline() {
        clock.jump_to(deadline);
        pool.run_until_stalled();
        stops.push(clock.now());
    }
    assert_eq!(stops, [at(1), at(2)]);
}
