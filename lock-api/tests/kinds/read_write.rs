//! Many readers or one writer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI32, Ordering},
};

use leasehold::{Downgrade, Effect, ErrorKind, LockBackend, Locker, Loss, Release};
use leasehold_memory::MemoryBackend;
use proptest::{collection::vec, prelude::*};

use super::{
    play,
    support::{assert_untouched, manual, ms, poll_times, secs},
};

#[tokio::test]
async fn readers_share_and_a_writer_is_alone() {
    let (locker, _, _clock) = manual();
    let readers = [locker.read("doc").await.unwrap(), locker.read("doc").await.unwrap()];
    assert!(locker.write("doc").try_acquire().await.unwrap().is_none());
    for reader in readers {
        reader.release().await.unwrap();
    }
    let _writer = locker.write("doc").await.unwrap();
    assert!(locker.read("doc").try_acquire().await.unwrap().is_none());
    assert!(locker.write("doc").try_acquire().await.unwrap().is_none());
}

/// Readers that follow each other without a gap never let a writer in, unless it has its place in the queue.
#[tokio::test]
async fn a_writer_does_not_starve_behind_readers_that_never_end() {
    let (locker, _, clock) = manual();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2_u64)
        .map(|number| {
            let (locker, stop) = (locker.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                locker.runtime().sleep(secs(number * 5)).await;
                while !stop.load(Ordering::SeqCst) {
                    let reader = locker.read("doc").wait_forever().keep_alive().await.unwrap();
                    locker.runtime().sleep(secs(10)).await;
                    reader.release().await.unwrap();
                }
            })
        })
        .collect();
    clock.advance(secs(102)).await;
    let writing = locker.clone();
    let asked = locker.runtime().now();
    let writer = tokio::spawn(async move {
        let writer = writing.write("doc").wait_forever().await.unwrap();
        let waited = writing.runtime().now().since(asked);
        writer.release().await.unwrap();
        waited
    });
    clock.advance(secs(60)).await;
    assert!(writer.is_finished(), "the writer starves");
    assert!(writer.await.unwrap() <= secs(10), "it waits for those before it only");
    stop.store(true, Ordering::SeqCst);
    clock.advance(secs(60)).await;
    assert!(readers.iter().all(|reader| reader.is_finished()));
    assert_untouched(&locker, "doc").await;
}

#[tokio::test]
async fn a_reader_that_comes_after_a_waiting_writer_waits_behind_it() {
    let (locker, _, clock) = manual();
    let reader = locker.read("doc").await.unwrap();
    let writing = locker.clone();
    let writer = tokio::spawn(async move { writing.write("doc").await.unwrap() });
    clock.settle().await;
    assert!(locker.read("doc").try_acquire().await.unwrap().is_none());
    let reading = locker.clone();
    let late = tokio::spawn(async move { reading.read("doc").await.unwrap() });
    clock.settle().await;
    reader.release().await.unwrap();
    let writer = writer.await.unwrap();
    clock.settle().await;
    assert!(!late.is_finished(), "a reader beside a writer");
    let token = writer.token();
    writer.release().await.unwrap();
    assert!(late.await.unwrap().token() > token);
}

#[tokio::test]
async fn a_crashed_reader_keeps_writers_out_no_longer_than_its_ttl() {
    let (locker, _, clock) = manual();
    std::mem::forget(locker.read("doc").ttl(secs(5)).await.unwrap());
    clock.advance(ms(4_999)).await;
    assert!(locker.write("doc").try_acquire().await.unwrap().is_none());
    clock.advance(ms(1)).await;
    assert!(locker.write("doc").try_acquire().await.unwrap().is_some());
}

#[derive(Clone, Copy, Debug)]
struct Visit {
    writes: bool,
    comes: u64,
    stays: u64,
}

fn visit() -> impl Strategy<Value = Visit> {
    (any::<bool>(), 0..2_000_u64, 0..500_u64).prop_map(|(writes, comes, stays)| Visit {
        writes,
        comes,
        stays,
    })
}

async fn never_beside_a_writer(visits: Vec<Visit>) {
    let (locker, _, clock) = manual();
    // Readers inside, or -1 for a writer.
    let inside = Arc::new(AtomicI32::new(0));
    let visitors: Vec<_> = visits
        .into_iter()
        .map(|Visit { writes, comes, stays }| {
            let (locker, inside) = (locker.clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                locker.runtime().sleep(ms(comes)).await;
                let request = if writes { locker.write("doc") } else { locker.read("doc") };
                let guard = request.ttl(secs(60)).wait_forever().await.unwrap();
                let before = inside.fetch_add(if writes { -1 } else { 1 }, Ordering::SeqCst);
                assert!(if writes { before == 0 } else { before >= 0 }, "{before} inside");
                locker.runtime().sleep(ms(stays)).await;
                inside.fetch_add(if writes { 1 } else { -1 }, Ordering::SeqCst);
                guard.release().await.unwrap();
            })
        })
        .collect();
    clock.advance(secs(60)).await;
    for visitor in visitors {
        assert!(visitor.is_finished(), "somebody waits for ever");
        visitor.await.unwrap();
    }
    assert_untouched(&locker, "doc").await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_ever_beside_a_writer_and_everybody_gets_in(visits in vec(visit(), 1..25)) {
        play(never_beside_a_writer(visits));
    }
}

#[tokio::test]
async fn a_downgraded_writer_reads_on_with_its_token_and_is_kept_alive() {
    let (locker, _, clock) = manual();
    let mut guard = locker.write("doc").ttl(secs(6)).keep_alive().await.unwrap();
    let (token, valid_until) = (guard.token(), guard.valid_until());
    assert_eq!(guard.downgrade().await.unwrap(), Downgrade::Downgraded);
    assert_eq!((guard.token(), guard.valid_until()), (token, valid_until));
    let reader = locker.read("doc").ttl(secs(60)).await.unwrap();
    assert!(locker.write("doc").try_acquire().await.unwrap().is_none());
    clock.advance(secs(30)).await;
    assert!(guard.is_valid() && guard.loss().is_none(), "keep-alive stopped");
    assert_eq!(guard.downgrade().await.unwrap(), Downgrade::Downgraded, "a reader stays a reader");
    assert_eq!(locker.inspect("doc").await.unwrap().leases.len(), 2);
    assert_eq!(guard.release().await.unwrap(), Release::Released);
    drop(reader);
    clock.settle().await;
    assert_untouched(&locker, "doc").await;
}

#[tokio::test]
async fn waiting_readers_come_in_when_the_writer_downgrades_and_a_waiting_writer_does_not() {
    let (locker, _, clock) = manual();
    let mut guard = locker.write("doc").await.unwrap();
    let wait = |writes: bool| {
        let locker = locker.clone();
        tokio::spawn(async move {
            let request = if writes { locker.write("doc") } else { locker.read("doc") };
            request.wait_forever().await.unwrap()
        })
    };
    let reader = wait(false);
    clock.settle().await;
    let writer = wait(true);
    clock.settle().await;
    assert!(!reader.is_finished());
    assert_eq!(guard.downgrade().await.unwrap(), Downgrade::Downgraded);
    clock.settle().await;
    assert!(reader.is_finished() && !writer.is_finished());
    let reader = reader.await.unwrap();
    assert!(reader.token() > guard.token());
    reader.release().await.unwrap();
    clock.settle().await;
    assert!(!writer.is_finished(), "a writer beside a reader");
    drop(guard);
    writer.await.unwrap().release().await.unwrap();
    assert_untouched(&locker, "doc").await;
}

#[tokio::test]
async fn a_downgrade_that_comes_too_late_tells_of_the_loss() {
    let (memory, _clock) = MemoryBackend::manual(1);
    let locker = Locker::new(memory.clone());
    let mut gone = locker.write("doc").await.unwrap();
    let lost = gone.lost_token();
    // Nobody tells of it: the answer does.
    memory.release(gone.key(), gone.id()).await.unwrap();
    assert!(gone.is_valid());
    assert_eq!(gone.downgrade().await.unwrap(), Downgrade::Lost);
    assert_eq!(gone.loss(), Some(Loss::Refused));
    assert!(lost.is_cancelled());

    let (locker, faults, clock) = manual();
    let mut expired = locker.write("doc").ttl(secs(5)).await.unwrap();
    clock.advance(secs(5)).await;
    // The backend is not even asked.
    faults.freeze(true);
    let answer = poll_times(expired.downgrade(), 3).await;
    assert_eq!(answer.unwrap().unwrap(), Downgrade::Lost);
    assert_eq!(expired.loss(), Some(Loss::Expired));
}

#[tokio::test]
async fn a_downgrade_without_an_answer_is_unknown_and_can_be_repeated() {
    let (locker, faults, clock) = manual();
    let mut guard = locker.write("doc").ttl(secs(60)).await.unwrap();
    faults.mute(true);
    let asking = tokio::spawn(async move {
        let error = guard.downgrade().await.unwrap_err();
        (guard, error)
    });
    clock.advance(secs(30)).await;
    let (mut guard, error) = asking.await.unwrap();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Unknown));
    assert!(guard.is_valid(), "it is a writer or a reader, but it lives");
    faults.mute(false);
    assert_eq!(guard.downgrade().await.unwrap(), Downgrade::Downgraded);
    assert!(locker.read("doc").try_acquire().await.unwrap().is_some());
}

#[tokio::test]
async fn permits_are_not_downgraded_and_a_backend_that_can_not_says_so() {
    let (locker, faults, _clock) = manual();
    let mut permit = locker.semaphore("pool", 3).acquire().await.unwrap();
    let error = permit.downgrade().await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::IdReused, Effect::None));
    assert!(permit.is_valid());

    faults.no_downgrades.store(true, Ordering::SeqCst);
    let mut guard = locker.write("doc").await.unwrap();
    let error = guard.downgrade().await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unsupported, Effect::None));
    assert!(guard.is_valid());
    assert!(locker.read("doc").try_acquire().await.unwrap().is_none(), "it is a writer still");
}
