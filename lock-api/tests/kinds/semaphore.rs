//! Permits: never too many, never fewer for ever.

use std::sync::atomic::Ordering;

use leasehold::{ErrorKind, Guard, Locker};
use proptest::{collection::vec, prelude::*};

use super::{
    POLLS, play,
    support::{Faulty, assert_untouched, manual, ms, poll_times, secs},
};

#[derive(Clone, Copy, Debug)]
enum Step {
    Take {
        permits: u32,
        ttl_ms: u64,
    },
    Release(usize),
    /// The holder is gone without a word.
    Crash(usize),
    Extend(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..4_u32, 100..3_000_u64).prop_map(|(permits, ttl_ms)| Step::Take { permits, ttl_ms }),
        2 => (0..8_usize).prop_map(Step::Release),
        1 => (0..8_usize).prop_map(Step::Crash),
        1 => (0..8_usize).prop_map(Step::Extend),
        2 => (1..2_000_u64).prop_map(Step::Pass),
    ]
}

type Held = (u32, Guard<Faulty>);

fn pick(held: &mut Vec<Held>, index: usize) -> Option<Held> {
    (!held.is_empty()).then(|| held.remove(index % held.len()))
}

async fn never_too_many(limit: u32, steps: Vec<Step>) {
    let (locker, _, clock) = manual();
    let gpus = locker.semaphore("gpu", limit);
    let (mut held, mut crashed): (Vec<Held>, Vec<Held>) = Default::default();
    for step in steps {
        match step {
            Step::Take { permits, ttl_ms } => {
                let permits = permits.min(limit);
                let taken = gpus.permits(permits).ttl(ms(ttl_ms)).try_acquire().await.unwrap();
                held.extend(taken.map(|guard| (permits, guard)));
            }
            Step::Release(index) => {
                if let Some((_, guard)) = pick(&mut held, index) {
                    guard.release().await.unwrap();
                }
            }
            Step::Crash(index) => crashed.extend(pick(&mut held, index)),
            Step::Extend(index) => {
                if let Some((_, guard)) = held.get(index) {
                    let _outcome = guard.extend(ms(1_500)).await.unwrap();
                }
            }
            Step::Pass(millis) => clock.advance(ms(millis)).await,
        }
        let valid = held.iter().chain(&crashed).filter(|(_, guard)| guard.is_valid());
        let believed: u32 = valid.map(|(permits, _)| permits).sum();
        let live: u32 =
            locker.inspect("gpu").await.unwrap().leases.iter().map(|lease| lease.permits).sum();
        assert!(believed <= live && live <= limit, "{believed} believed, {live} live");
        assert_eq!(gpus.available().await.unwrap(), limit - live);
    }
    clock.advance(secs(5)).await;
    assert_eq!(gpus.available().await.unwrap(), limit, "a permit leaked");
    crashed.into_iter().for_each(std::mem::forget);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn never_more_permits_are_out_than_the_limit_and_all_come_back(
        limit in 1..5_u32,
        steps in vec(step(), 1..40),
    ) {
        play(never_too_many(limit, steps));
    }
}

/// Many tasks that wait, work and leave; what they count themselves never exceeds the limit.
#[tokio::test]
async fn those_who_wait_all_get_in_and_never_too_many_at_once() {
    let (locker, _, clock) = manual();
    let gpus = locker.semaphore("gpu", 5);
    let inside = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let workers: Vec<_> = (0..20_u32)
        .map(|number| {
            let (gpus, inside, runtime) =
                (gpus.clone(), std::sync::Arc::clone(&inside), locker.runtime().clone());
            tokio::spawn(async move {
                let permits = number % 3 + 1;
                let permit = gpus.permits(permits).wait_forever().keep_alive().await.unwrap();
                let now = inside.fetch_add(permits, Ordering::SeqCst) + permits;
                assert!(now <= 5, "{now} permits are out");
                runtime.sleep(secs(u64::from(number % 7) * 10)).await;
                inside.fetch_sub(permits, Ordering::SeqCst);
                permit.release().await.unwrap();
            })
        })
        .collect();
    clock.advance(secs(1_000)).await;
    for worker in workers {
        assert!(worker.is_finished());
        worker.await.unwrap();
    }
    assert_untouched(&locker, "gpu").await;
}

#[tokio::test]
async fn a_permit_of_a_crashed_holder_comes_back_with_its_ttl() {
    let (locker, _, clock) = manual();
    let gpus = locker.semaphore("gpu", 2);
    std::mem::forget(gpus.permits(2).ttl(secs(5)).await.unwrap());
    clock.advance(ms(4_999)).await;
    assert_eq!(gpus.available().await.unwrap(), 0);
    clock.advance(ms(1)).await;
    assert_eq!(gpus.available().await.unwrap(), 2);
    assert!(gpus.acquire_many(2).await.is_ok());
}

#[tokio::test]
async fn who_waits_for_many_permits_is_not_passed_by_those_who_want_one() {
    let (locker, _, clock) = manual();
    let gpus = locker.semaphore("gpu", 3);
    let first = gpus.acquire().await.unwrap();
    let many = gpus.clone();
    let many = tokio::spawn(async move { many.acquire_many(3).await.unwrap() });
    clock.settle().await;
    assert_eq!(gpus.available().await.unwrap(), 2, "free, but promised");
    assert!(gpus.try_acquire().await.unwrap().is_none());
    first.release().await.unwrap();
    assert_eq!(many.await.unwrap().release().await.unwrap(), leasehold::Release::Released);
    assert!(gpus.try_acquire().await.unwrap().is_some());
}

#[tokio::test]
async fn another_limit_is_refused_while_one_is_in_use() {
    let (locker, _, _clock) = manual();
    let permit = locker.semaphore("gpu", 3).acquire().await.unwrap();
    let error = locker.semaphore("gpu", 4).acquire().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitMismatch);
    assert_eq!(error.key().map(leasehold::LockKey::as_str), Some("gpu"));
    permit.release().await.unwrap();
    assert!(locker.semaphore("gpu", 4).acquire().await.is_ok());
}

#[tokio::test]
async fn a_bad_semaphore_says_what_is_wrong_whenever_it_is_used() {
    let (locker, faults, _clock) = manual();
    let refused = [
        (locker.semaphore("gpu", 0), 1, "invalid limit: must be at least 1, value=`0`"),
        (locker.semaphore("", 3), 1, "invalid key: must be at least 1 byte"),
        (locker.semaphore("gpu", 3), 0, "invalid permits: must be at least 1, value=`0`"),
        (locker.semaphore("gpu", 3), 4, "at most the limit of 3, value=`4`"),
    ];
    for (semaphore, permits, said) in &refused {
        for _ in 0..2 {
            let error = semaphore.acquire_many(*permits).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(said), "{error}");
        }
    }
    for (semaphore, ..) in &refused[..2] {
        assert_eq!(semaphore.available().await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(faults.calls(), 0, "nothing was sent");
}

#[tokio::test]
async fn nothing_is_available_beside_an_exclusive_lease() {
    let (locker, _, _clock) = manual();
    let _writer = locker.write("gpu").await.unwrap();
    assert_eq!(locker.semaphore("gpu", 4).available().await.unwrap(), 0);
}

#[tokio::test]
async fn a_wait_for_permits_leaves_nothing_wherever_it_is_dropped() {
    for polls in 0..POLLS {
        let (locker, faults, clock): (Locker<Faulty>, _, _) = manual();
        faults.rounds.store(3, Ordering::SeqCst);
        let gpus = locker.semaphore("gpu", 3);
        let held = gpus.acquire_many(2).await.unwrap();
        let mut waiting = Box::pin(gpus.acquire_many(2));
        let early = poll_times(&mut waiting, polls / 2).await;
        drop(held);
        let late = match early {
            Some(early) => Some(early),
            None => poll_times(&mut waiting, polls - polls / 2).await,
        };
        drop((waiting, late));
        clock.advance(secs(1)).await;
        assert_untouched(&locker, "gpu").await;
    }
}
