//! One leader at a time, and the next one when it goes.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use leasehold::{Election, ErrorKind, FencingToken, Locker, Release, Timestamp, VirtualClock};
use leasehold_memory::MemoryBackend;

use super::{
    POLLS,
    support::{Faults, Faulty, assert_untouched, manual, ms, poll_times, secs},
};

type Process = (Locker<Faulty>, Arc<Faults>);

/// Two processes with a connection each, so that one can be cut off, on one backend.
fn two() -> ([Process; 2], VirtualClock) {
    let (memory, clock) = MemoryBackend::manual(1);
    let lockers = [memory.clone(), memory].map(|memory| {
        let faulty = Faulty::new(memory);
        let faults = Arc::clone(&faulty.faults);
        (Locker::typed(faulty), faults)
    });
    (lockers, clock)
}

#[tokio::test]
async fn losers_keep_campaigning_and_lead_in_the_order_in_which_they_came() {
    let (locker, _, clock) = manual();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut candidates = Vec::new();
    for number in 0..5_u32 {
        let (election, order, runtime) =
            (locker.election("e"), Arc::clone(&order), locker.runtime().clone());
        candidates.push(tokio::spawn(async move {
            let leadership = election.campaign().await.unwrap();
            order.lock().unwrap().push((number, leadership.term()));
            runtime.sleep(secs(100)).await;
            assert!(leadership.is_leader(), "a leader is renewed for as long as it lasts");
            leadership.resign().await.unwrap()
        }));
        clock.settle().await;
    }
    clock.advance(secs(600)).await;
    for candidate in candidates {
        assert_eq!(candidate.await.unwrap(), Release::Released);
    }
    let order = std::mem::take(&mut *order.lock().unwrap());
    assert_eq!(order.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(order.is_sorted_by(|(_, earlier), (_, later)| earlier < later), "terms grow");
    assert_untouched(&locker, "e").await;
}

#[tokio::test]
async fn a_leader_that_can_not_renew_stops_before_another_can_start() {
    let ([(one, cut), (other, _)], clock) = two();
    let leadership = one.election("e").ttl(secs(10)).campaign().await.unwrap();
    let (lost, runtime) = (leadership.lost(), one.runtime().clone());
    let stopped = tokio::spawn(async move {
        lost.await;
        runtime.now()
    });
    let next = tokio::spawn(async move {
        let next = other.election("e").campaign().await.unwrap();
        (other.runtime().now(), next)
    });
    clock.advance(secs(60)).await;
    assert!(!next.is_finished());
    cut.freeze(true);
    clock.advance(secs(10)).await;
    let (stopped, (started, next)) = (stopped.await.unwrap(), next.await.unwrap());
    assert!(stopped < started, "stopped at {stopped}, the next started at {started}");
    assert!(next.term() > leadership.term() && !leadership.is_leader() && next.is_leader());
}

#[tokio::test]
async fn resigning_and_dropping_hand_over_at_once() {
    let (locker, _, clock) = manual();
    for resigns in [true, false] {
        let election = locker.election("e");
        let leadership = election.campaign().await.unwrap();
        let next = tokio::spawn({
            let election = election.clone();
            async move { election.campaign().await.unwrap() }
        });
        clock.settle().await;
        assert!(election.try_campaign().await.unwrap().is_none());
        if resigns {
            assert_eq!(leadership.resign().await.unwrap(), Release::Released);
        } else {
            drop(leadership);
        }
        clock.settle().await;
        assert!(next.is_finished());
        next.await.unwrap().resign().await.unwrap();
    }
}

#[tokio::test]
async fn who_leads_is_seen_with_label_term_and_time() {
    let (locker, _, clock) = manual();
    let election = locker.election("e").label("node-1").ttl(secs(9));
    assert_eq!(election.leader().await.unwrap(), None);
    let leadership = election.campaign().await.unwrap();
    clock.advance(secs(1)).await;
    let leader = locker.election("e").leader().await.unwrap().unwrap();
    assert_eq!((leader.holder.label(), leader.term), (Some("node-1"), leadership.term()));
    assert_eq!((leader.since, leader.remaining), (secs(1), secs(8)));
    drop(leadership);
    let _reader = locker.read("other").await.unwrap();
    assert_eq!(locker.election("other").leader().await.unwrap(), None, "a reader does not lead");
}

#[tokio::test]
async fn an_observer_sees_each_leader_once_and_that_nobody_leads() {
    let (locker, faults, clock) = manual();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (watched, seeing) = (locker.election("e"), Arc::clone(&seen));
    let observer = tokio::spawn(async move {
        let mut changes = watched.observe_every(ms(100)).unwrap();
        loop {
            let change = changes.next().await;
            let change =
                change.map(|leader| leader.map(|it| it.holder.label().unwrap().to_owned()));
            seeing.lock().unwrap().push(change.map_err(|error| error.kind()));
        }
    });
    clock.settle().await;
    for name in ["a", "b"] {
        let leadership = locker.election("e").label(name).campaign().await.unwrap();
        clock.advance(secs(30)).await;
        leadership.resign().await.unwrap();
        if name == "b" {
            clock.advance(secs(1)).await;
        }
    }
    let leader = |name: &str| Ok(Some(name.to_owned()));
    assert_eq!(*seen.lock().unwrap(), [Ok(None), leader("a"), leader("b"), Ok(None)]);
    assert!(faults.calls() > 0);
    observer.abort();
    assert_eq!(locker.election("e").observe_every(ms(0)).unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn the_same_candidate_leading_again_is_a_change() {
    let (locker, _, clock) = manual();
    let election = locker.election("e").label("a");
    let mut changes = election.observe();
    let first = election.campaign().await.unwrap();
    assert_eq!(changes.next().await.unwrap().unwrap().term, first.term());
    first.resign().await.unwrap();
    let second = election.campaign().await.unwrap();
    let next = tokio::spawn(async move { changes.next().await });
    clock.advance(secs(1)).await;
    assert_eq!(next.await.unwrap().unwrap().unwrap().term, second.term());
}

#[tokio::test]
async fn a_loop_survives_losing_and_leads_again_under_a_greater_term() {
    let ([(one, cut), (other, _)], clock) = two();
    let log = Arc::new(Mutex::new(Vec::new()));
    let (logging, runtime) = (Arc::clone(&log), one.runtime().clone());
    let running = tokio::spawn(async move {
        let election = one.election("e").ttl(secs(10));
        let times = AtomicUsize::new(0);
        election
            .run(async |lease| {
                logging.lock().unwrap().push((lease.token(), runtime.now()));
                if times.fetch_add(1, Ordering::SeqCst) == 0 {
                    std::future::pending::<()>().await;
                }
                "done"
            })
            .await
    });
    clock.advance(secs(60)).await;
    let next = other.clone();
    let next = tokio::spawn(async move { next.election("e").campaign().await.unwrap() });
    clock.settle().await;
    cut.forget_leases(true);
    clock.advance(secs(10)).await;
    cut.forget_leases(false);
    let between = next.await.unwrap();
    clock.advance(secs(60)).await;
    assert!(!running.is_finished(), "another leads");
    let term = between.term();
    between.resign().await.unwrap();
    clock.advance(secs(60)).await;
    assert_eq!(running.await.unwrap().unwrap(), "done");
    let log: Vec<(FencingToken, Timestamp)> = log.lock().unwrap().clone();
    assert_eq!(log.len(), 2);
    assert!(log[0].0 < term && term < log[1].0);
    assert_untouched(&other, "e").await;
}

#[tokio::test]
async fn a_loop_ends_with_an_error_that_no_other_try_can_mend() {
    let (locker, _, _clock) = manual();
    let run = |election: Election<Faulty>| async move { election.run(async |_| ()).await };
    assert_eq!(run(locker.election("")).await.unwrap_err().kind(), ErrorKind::Invalid);
    let too_long = locker.election("e").ttl(secs(61));
    assert_eq!(run(too_long).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert!(locker.shutdown(secs(0)).await.is_clean());
    assert_eq!(run(locker.election("e")).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_loop_ends_when_the_locker_is_shut_down_under_its_body() {
    let (locker, _, clock) = manual();
    let election = locker.election("e");
    let running =
        tokio::spawn(
            async move { election.run(async |_| std::future::pending::<()>().await).await },
        );
    clock.settle().await;
    assert_eq!(locker.shutdown(secs(0)).await.taken_away.len(), 1);
    clock.settle().await;
    assert_eq!(running.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_campaign_leaves_nothing_wherever_it_is_dropped() {
    for polls in 0..POLLS {
        let (locker, faults, clock) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let election = locker.election("e");
        let leader = election.campaign().await.unwrap();
        let mut campaign = Box::pin(election.campaign());
        let early = poll_times(&mut campaign, polls / 2).await;
        drop(leader);
        let late = match early {
            Some(early) => Some(early),
            None => poll_times(&mut campaign, polls - polls / 2).await,
        };
        drop((campaign, late));
        clock.advance(secs(1)).await;
        assert_untouched(&locker, "e").await;
        clock.advance(secs(60)).await;
        assert_untouched(&locker, "e").await;
    }
}

#[tokio::test]
async fn the_owner_is_claimed_asked_for_and_cleared_by_itself_only() {
    let (locker, _, clock) = manual();
    let (mine, theirs) = (locker.election("o").label("pod-1"), locker.election("o").label("pod-2"));
    assert!(!mine.is_owner() && mine.owner().await.unwrap().is_none());
    assert!(mine.set_owner().await.unwrap());
    assert!(mine.set_owner().await.unwrap(), "it is the owner already");
    assert!(!theirs.set_owner().await.unwrap());
    assert!(mine.is_owner() && mine.clone().is_owner() && !theirs.is_owner());
    assert_eq!(theirs.owner().await.unwrap().unwrap().label(), Some("pod-1"));
    clock.advance(secs(600)).await;
    assert!(mine.is_owner(), "ownership lasts");
    let term = mine.owner_term().unwrap();
    assert!(!theirs.remove_owner().await.unwrap());
    assert!(mine.is_owner());
    assert!(mine.remove_owner().await.unwrap());
    assert!(!mine.remove_owner().await.unwrap(), "it is removed already");
    assert!(!mine.is_owner() && mine.owner_term().is_none());
    assert!(theirs.set_owner().await.unwrap());
    assert!(theirs.owner_term().unwrap() > term);
    drop(theirs);
    clock.settle().await;
    assert_untouched(&locker, "o").await;
}

#[tokio::test]
async fn an_owner_that_is_cut_off_is_none_before_another_is() {
    let ([(one, cut), (other, _)], clock) = two();
    let (one, other) = (one.election("o").ttl(secs(10)), other.election("o"));
    assert!(one.set_owner().await.unwrap());
    cut.freeze(true);
    for _ in 0..200 {
        clock.advance(ms(100)).await;
        let taken_over = other.set_owner().await.unwrap();
        assert!(!(one.is_owner() && taken_over), "two owners");
    }
    assert!(other.is_owner() && !one.is_owner());
    cut.freeze(false);
    clock.advance(secs(1)).await;
    assert!(!one.set_owner().await.unwrap());
    drop(other);
    clock.settle().await;
    assert!(one.set_owner().await.unwrap(), "an owner that was lost can be claimed again");
}

#[tokio::test]
async fn two_claims_at_once_by_one_election_are_one_ownership() {
    let (locker, faults, _clock) = manual();
    faults.rounds.store(3, Ordering::SeqCst);
    let election = locker.election("o");
    let (one, other) = futures::join!(election.set_owner(), election.set_owner());
    assert!(one.unwrap() && other.unwrap());
}
