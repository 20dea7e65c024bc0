//! Several keys: all or nothing, in one step or one by one.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use leasehold::{ErrorKind, Extension, Locker, Loss, Mode, Release, VirtualClock};
use proptest::{collection::vec, prelude::*};

use super::{
    POLLS, play,
    support::{Faults, Faulty, assert_untouched, manual, ms, poll_times, secs},
};

/// How the backend takes several keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Together,
    OneByOne,
    /// It declares that it can, and finds that these keys lie apart.
    Apart,
}

const HOWS: [How; 3] = [How::Together, How::OneByOne, How::Apart];

fn start(how: How) -> (Locker<Faulty>, Arc<Faults>, VirtualClock) {
    let (locker, faults, clock) = manual();
    faults.one_key.store(how == How::OneByOne, Ordering::SeqCst);
    faults.slots.store(how == How::Apart, Ordering::SeqCst);
    (locker, faults, clock)
}

async fn assert_all_untouched(locker: &Locker<Faulty>) {
    for key in ["a", "b", "c"] {
        assert_untouched(locker, key).await;
    }
}

#[tokio::test]
async fn all_keys_are_held_and_released_together() {
    for how in HOWS {
        let (locker, _, _clock) = start(how);
        let all = locker.acquire_all(["c", "a", "b", "a"]).await.unwrap();
        assert!(all.is_valid() && all.remaining() > secs(29));
        assert_eq!(all.keys().map(|key| key.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        for key in ["a", "b", "c"] {
            assert_eq!(locker.inspect(key).await.unwrap().leases.len(), 1, "{how:?}");
            let shown = locker.inspect(key).await.unwrap().leases[0].token;
            assert_eq!(all.lease(key).unwrap().token(), shown);
            assert!(all.tokens().any(|(of, token)| of.as_str() == key && token == shown));
        }
        assert!(all.lease("d").is_none());
        assert_eq!(all.release().await.unwrap(), Release::Released);
        assert_all_untouched(&locker).await;
    }
}

#[tokio::test]
async fn a_dropped_guard_gives_all_keys_back() {
    for how in HOWS {
        let (locker, _, clock) = start(how);
        drop(locker.acquire_all(["a", "b"]).await.unwrap());
        clock.settle().await;
        assert_all_untouched(&locker).await;
    }
}

#[tokio::test]
async fn one_taken_key_holds_all_and_nothing_stays_behind() {
    for how in HOWS {
        for taken in ["a", "b", "c"] {
            let (locker, _, clock) = start(how);
            let holder = locker.lock(taken).label("worker-7").await.unwrap();
            let keys = || locker.lock_all(["a", "b", "c"]);
            assert!(keys().try_acquire().await.unwrap().is_none(), "{how:?}");
            let error = keys().fail_fast().await.unwrap_err();
            assert!(error.is_timeout(), "{error}");
            assert_eq!(error.held().unwrap().holders[0].label(), Some("worker-7"));
            clock.settle().await;
            holder.release().await.unwrap();
            assert_all_untouched(&locker).await;
        }
    }
}

#[tokio::test]
async fn a_wait_ends_at_its_deadline_and_leaves_nothing() {
    for how in HOWS {
        let (locker, _, clock) = start(how);
        let holder = locker.acquire("b").await.unwrap();
        let waiting = locker.clone();
        let waiting = tokio::spawn(async move {
            let asked = waiting.runtime().now();
            let error = waiting.lock_all(["a", "b", "c"]).wait(ms(1_500)).await.unwrap_err();
            (error.kind(), waiting.runtime().now().since(asked))
        });
        clock.advance(secs(2)).await;
        assert_eq!(waiting.await.unwrap(), (ErrorKind::Timeout, ms(1_500)), "{how:?}");
        holder.release().await.unwrap();
        assert_all_untouched(&locker).await;
    }
}

/// What is held must not run out while the rest is awaited, and is whole again when it begins.
#[tokio::test]
async fn a_wait_longer_than_the_ttl_ends_with_all_keys_held() {
    for how in HOWS {
        let (locker, _, clock) = start(how);
        let holder = locker.lock("c").ttl(secs(60)).await.unwrap();
        let waiting = locker.clone();
        let waiting = tokio::spawn(async move {
            waiting.lock_all(["a", "b", "c"]).ttl(secs(3)).wait_forever().await.unwrap()
        });
        for _ in 0..20 {
            clock.advance(secs(1)).await;
            let one_by_one = how != How::Together;
            assert_eq!(locker.is_locked("a").await.unwrap(), one_by_one, "{how:?}");
        }
        holder.release().await.unwrap();
        clock.advance(ms(250)).await;
        assert!(waiting.is_finished(), "{how:?}");
        let all = waiting.await.unwrap();
        assert!(all.is_valid() && all.remaining() > ms(2_690), "{:?}", all.remaining());
        clock.advance(secs(3)).await;
        assert!(!all.is_valid(), "nobody renews it once it is handed over");
        assert_all_untouched(&locker).await;
    }
}

#[tokio::test]
async fn a_key_lost_while_the_next_is_awaited_gives_the_others_back() {
    for how in [How::OneByOne, How::Apart] {
        let (locker, _, clock) = start(how);
        let holder = locker.lock("c").ttl(secs(60)).await.unwrap();
        let waiting = locker.clone();
        let waiting = tokio::spawn(async move {
            waiting.lock_all(["a", "b", "c"]).wait_forever().await.unwrap_err()
        });
        clock.advance(secs(1)).await;
        assert_eq!(locker.revoke("b").await.unwrap().leases, 1);
        clock.settle().await;
        assert!(waiting.is_finished());
        let error = waiting.await.unwrap();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Unavailable, leasehold::Effect::None)
        );
        assert_eq!(error.key().map(|key| key.as_str()), Some("b"));
        holder.release().await.unwrap();
        assert_all_untouched(&locker).await;
    }
}

#[tokio::test]
async fn losing_one_key_is_told_stops_the_body_and_ends_the_set() {
    for how in HOWS {
        let (locker, _, clock) = start(how);
        let all = locker.lock_all(["a", "b"]).keep_alive().await.unwrap();
        let lost = all.lost();
        locker.revoke("b").await.unwrap();
        assert_eq!(lost.await.1, Loss::Revoked);
        assert!(!all.is_valid() && all.loss().is_some());
        assert_eq!(all.extend(secs(30)).await.unwrap(), Extension::Lost);
        assert_eq!(all.release().await.unwrap(), Release::NotHeld);
        clock.settle().await;
        assert_all_untouched(&locker).await;

        let body = locker.clone();
        let with = tokio::spawn(async move {
            body.lock_all(["a", "b"]).with(async |_| std::future::pending::<()>().await).await
        });
        clock.settle().await;
        locker.revoke("a").await.unwrap();
        assert!(with.await.unwrap().unwrap_err().is_lease_lost());
        clock.settle().await;
        assert_all_untouched(&locker).await;
    }
}

#[tokio::test]
async fn a_body_runs_under_all_keys_and_its_output_is_returned() {
    for how in HOWS {
        let (locker, _, _clock) = start(how);
        let seen = locker.clone();
        let both = locker.lock_all(["a", "b"]).with(async |leases| {
            let free = seen.try_acquire("a").await.unwrap().is_some()
                || seen.try_acquire("b").await.unwrap().is_some();
            (leases.is_valid(), free)
        });
        assert_eq!(both.await.unwrap(), (true, false));
        assert_all_untouched(&locker).await;
    }
}

#[tokio::test]
async fn an_extension_reaches_every_key_and_keep_alive_keeps_every_key() {
    for how in HOWS {
        let (locker, _, clock) = start(how);
        let all = locker.lock_all(["a", "b"]).ttl(secs(5)).await.unwrap();
        assert_eq!(all.extend(secs(50)).await.unwrap(), Extension::Extended);
        clock.advance(secs(40)).await;
        assert!(all.is_valid());
        assert!(locker.is_locked("a").await.unwrap() && locker.is_locked("b").await.unwrap());
        drop(all);
        clock.settle().await;
        let kept = locker.lock_all(["a", "b"]).ttl(secs(5)).keep_alive().await.unwrap();
        clock.advance(secs(600)).await;
        assert!(kept.is_valid(), "{how:?}");
    }
}

#[tokio::test]
async fn bad_keys_are_refused_before_anything_is_sent() {
    for how in HOWS {
        let (locker, faults, _clock) = start(how);
        let many = || (0..65).map(|number| format!("k{number}"));
        let refused = [
            (locker.lock_all(Vec::<&str>::new()), "invalid keys: must be at least 1"),
            (locker.lock_all(many()), "at most 64, value=`65`"),
            (locker.lock_all(["a", ""]), "invalid key: must be at least 1 byte"),
            (locker.lock_all(["a", "b"]).ttl(secs(61)), "at most max_ttl"),
            (locker.lock_all(["a", "b"]).permits(2), "1 for an exclusive lease"),
        ];
        for (request, said) in refused {
            for again in [request.clone(), request] {
                let error = again.try_acquire().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid);
                assert!(error.to_string().contains(said), "{error}");
            }
        }
        assert_eq!(faults.calls(), 0, "{how:?}");
        let most = locker.acquire_all(many().take(64)).await.unwrap();
        assert_eq!(most.keys().count(), 64);
    }
}

/// Taken one by one, a key could not be given back at once when the next can't be had.
#[tokio::test]
async fn a_minimum_hold_needs_one_step_for_all_keys() {
    for how in HOWS {
        let (locker, _, clock) = start(how);
        let taken = locker.lock_all(["a", "b"]).min_hold(secs(5)).await;
        if how == How::Together {
            taken.unwrap().release().await.unwrap();
            clock.advance(ms(4_999)).await;
            assert!(locker.is_locked("a").await.unwrap());
        } else {
            assert_eq!(taken.unwrap_err().kind(), ErrorKind::Unsupported);
            assert_all_untouched(&locker).await;
        }
    }
}

#[tokio::test]
async fn several_keys_can_be_read_together() {
    for how in HOWS {
        let (locker, _, _clock) = start(how);
        let read = || locker.lock_all(["a", "b"]).mode(Mode::READ);
        let _one = read().await.unwrap();
        let _another = read().fail_fast().await.unwrap();
        assert!(locker.lock_all(["b", "c"]).try_acquire().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_wait_for_several_keys_leaves_nothing_wherever_it_is_dropped() {
    for how in HOWS {
        for polls in 0..2 * POLLS {
            let (locker, faults, clock) = start(how);
            faults.rounds.store(2, Ordering::SeqCst);
            let holder = locker.acquire("b").await.unwrap();
            let mut waiting = Box::pin(locker.acquire_all(["a", "b", "c"]));
            let early = poll_times(&mut waiting, polls / 2).await;
            drop(holder);
            if polls % 3 == 0 {
                clock.advance(ms(300)).await;
            }
            let late = match early {
                Some(early) => Some(early),
                None => poll_times(&mut waiting, polls - polls / 2).await,
            };
            drop((waiting, late));
            clock.advance(secs(1)).await;
            assert_all_untouched(&locker).await;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Transfer {
    from: usize,
    to: usize,
    comes: u64,
    takes: u64,
}

fn transfer() -> impl Strategy<Value = Transfer> {
    (0..4_usize, 0..4_usize, 0..2_000_u64, 0..300_u64)
        .prop_map(|(from, to, comes, takes)| Transfer { from, to, comes, takes })
}

/// Money moves between accounts, each read and written under both locks: the sum stays, and nobody waits for ever.
async fn money_stays(how: How, transfers: Vec<Transfer>) {
    let (locker, _, clock) = start(how);
    let accounts: Arc<[AtomicI64; 4]> = Arc::new(std::array::from_fn(|_| AtomicI64::new(100)));
    let tasks: Vec<_> = transfers
        .into_iter()
        .map(|Transfer { from, to, comes, takes }| {
            let (locker, accounts) = (locker.clone(), Arc::clone(&accounts));
            tokio::spawn(async move {
                locker.runtime().sleep(ms(comes)).await;
                let keys = [from, to].map(|number| format!("account:{number}"));
                let both = locker.lock_all(keys).ttl(secs(60)).wait_forever().await.unwrap();
                let read = |number: usize| accounts[number].load(Ordering::SeqCst);
                let (paid, got) = (read(from) - 1, read(to) + 1);
                locker.runtime().sleep(ms(takes)).await;
                if from != to {
                    accounts[from].store(paid, Ordering::SeqCst);
                    accounts[to].store(got, Ordering::SeqCst);
                }
                both.release().await.unwrap();
            })
        })
        .collect();
    clock.advance(secs(120)).await;
    for task in tasks {
        assert!(task.is_finished(), "a deadlock");
        task.await.unwrap();
    }
    let sum: i64 = accounts.iter().map(|account| account.load(Ordering::SeqCst)).sum();
    assert_eq!(sum, 400, "an update was lost");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn transfers_in_any_order_neither_lose_money_nor_block_each_other(
        how in prop::sample::select(HOWS.to_vec()),
        transfers in vec(transfer(), 1..25),
    ) {
        play(money_stays(how, transfers));
    }
}
