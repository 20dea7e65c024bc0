//! G6: waiters are granted first come, first served.

use leasehold::{Extension, HeldReason, Release};

use crate::suite::trial::{Lease, Trial, Waiting};

pub(crate) async fn g6_waiters_are_granted_in_the_order_they_came(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let mut queue = Vec::new();
    for place in 1..=6 {
        let request = trial.request(&holder.key, trial.long());
        queue.push((trial.queue(&request, place).await, request));
    }
    let mut last = holder;
    for (waiting, request) in queue {
        assert_eq!(trial.release(&last).await, Release::Released);
        let next = trial.soon_granted(waiting, &request).await;
        assert!(next.grant.token > last.grant.token);
        last = next;
    }
}

pub(crate) async fn g6_a_waiter_is_not_granted_while_the_key_is_held(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.queue(&request, 1).await;
    trial.pass(trial.short().get()).await;
    assert!(!waiting.is_finished(), "granted beside a live lease");
    assert_eq!(trial.inspect(&holder.key).await.waiters.len(), 1);
    assert_eq!(trial.extend(&holder, trial.long()).await, Extension::Extended);
}

pub(crate) async fn g6_a_freed_key_goes_to_the_waiter_not_to_a_newcomer(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.queue(&request, 1).await;
    assert_eq!(trial.release(&holder).await, Release::Released);
    trial.is_taken(&holder.key).await;
    trial.soon_granted(waiting, &request).await;
    trial.is_taken(&holder.key).await;
}

pub(crate) async fn g6_a_key_that_runs_out_goes_to_the_waiter(trial: &Trial) {
    let key = trial.key("a");
    trial.grant(&trial.request(&key, trial.short())).await;
    let request = trial.request(&key, trial.long());
    let waiting = trial.wait(&request);
    trial.settle().await;
    trial.pass(trial.short().get()).await;
    trial.soon_granted(waiting, &request).await;
    trial.is_taken(&key).await;
}

pub(crate) async fn g6_a_revoked_key_goes_to_the_waiter(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.queue(&request, 1).await;
    assert_eq!(trial.revoke(&holder.key).await, 1);
    let next = trial.soon_granted(waiting, &request).await;
    assert!(next.grant.token > holder.grant.token);
    assert_eq!(trial.extend(&holder, trial.long()).await, Extension::Lost);
}

/// A newcomer that would fit in must not pass by one that waits for more.
pub(crate) async fn g6_a_try_that_fits_is_held_behind_a_waiter(trial: &Trial) {
    let key = trial.key("a");
    trial.grant(&trial.shared(&key, 3, 2)).await;
    let large = trial.shared(&key, 3, 2);
    let waiting = trial.queue(&large, 1).await;
    let held = trial.held(&trial.shared(&key, 3, 1)).await;
    assert_eq!(held.reason, HeldReason::Queue);
    assert!(!waiting.is_finished());
}

pub(crate) async fn g6_a_reader_does_not_overtake_a_waiting_writer(trial: &Trial) {
    let key = trial.key("a");
    let reader = trial.grant(&trial.read(&key)).await;
    let (write, read) = (trial.request(&key, trial.long()), trial.read(&key));
    let writer_waits = trial.queue(&write, 1).await;
    assert_eq!(trial.held(&trial.read(&key)).await.reason, HeldReason::Queue);
    let reader_waits = trial.queue(&read, 2).await;
    assert_eq!(trial.release(&reader).await, Release::Released);
    let writer = trial.soon_granted(writer_waits, &write).await;
    assert!(!reader_waits.is_finished(), "a reader beside a writer");
    assert_eq!(trial.release(&writer).await, Release::Released);
    let late = trial.soon_granted(reader_waits, &read).await;
    assert!(late.grant.token > writer.grant.token);
}

/// Readers that stand together are granted together, up to the first writer.
pub(crate) async fn g6_a_compatible_prefix_is_granted_at_once(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let key = &holder.key;
    let requests =
        [trial.read(key), trial.read(key), trial.request(key, trial.long()), trial.read(key)];
    let mut waiting: Vec<Waiting> = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        waiting.push(trial.queue(request, index + 1).await);
    }
    assert_eq!(trial.release(&holder).await, Release::Released);
    let mut readers: Vec<Lease> = Vec::new();
    for (waiting, request) in waiting.drain(..2).zip(&requests) {
        readers.push(trial.soon_granted(waiting, request).await);
    }
    let state = trial.inspect(key).await;
    assert_eq!((state.leases.len(), state.waiters.len()), (2, 2), "{state:?}");
    for reader in &readers {
        assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
        assert_eq!(trial.release(reader).await, Release::Released);
    }
    let writer = trial.soon_granted(waiting.remove(0), &requests[2]).await;
    assert_eq!(trial.release(&writer).await, Release::Released);
    trial.soon_granted(waiting.remove(0), &requests[3]).await;
}

/// A small request behind a large one waits, though it would fit: else the large one starves.
pub(crate) async fn g6_permits_are_granted_in_order_too(trial: &Trial) {
    let key = trial.key("a");
    let first = trial.grant(&trial.shared(&key, 4, 2)).await;
    let second = trial.grant(&trial.shared(&key, 4, 1)).await;
    let (large, small) = (trial.shared(&key, 4, 3), trial.shared(&key, 4, 1));
    let large_waits = trial.queue(&large, 1).await;
    let small_waits = trial.queue(&small, 2).await;
    assert_eq!(trial.release(&second).await, Release::Released);
    trial.settle().await;
    assert!(!large_waits.is_finished() && !small_waits.is_finished());
    assert_eq!(trial.release(&first).await, Release::Released);
    let large = trial.soon_granted(large_waits, &large).await;
    let small = trial.soon_granted(small_waits, &small).await;
    assert!(large.grant.token < small.grant.token);
}

pub(crate) async fn g6_a_waiter_that_gave_up_is_passed_over(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let requests = [1, 2, 3].map(|_| trial.request(&holder.key, trial.long()));
    let first = trial.queue(&requests[0], 1).await;
    let second = trial.queue(&requests[1], 2).await;
    let third = trial.queue(&requests[2], 3).await;
    trial.cancel(second).await;
    trial.queued(&holder.key, 2).await;
    assert_eq!(trial.release(&holder).await, Release::Released);
    let lease = trial.soon_granted(first, &requests[0]).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    trial.soon_granted(third, &requests[2]).await;
}

/// The first in the queue blocked those behind it; when it goes, they must be looked at.
pub(crate) async fn g7_a_waiter_that_leaves_lets_the_next_in(trial: &Trial) {
    let key = trial.key("a");
    trial.grant(&trial.read(&key)).await;
    let (write, read) = (trial.request(&key, trial.long()), trial.read(&key));
    let writer_waits = trial.queue(&write, 1).await;
    let reader_waits = trial.queue(&read, 2).await;
    trial.cancel(writer_waits).await;
    trial.soon_granted(reader_waits, &read).await;
}

pub(crate) async fn g7_a_waiter_that_times_out_lets_the_next_in(trial: &Trial) {
    let key = trial.key("a");
    trial.grant(&trial.read(&key)).await;
    let (write, read) = (trial.request(&key, trial.long()), trial.read(&key));
    let writer_waits = trial.wait_until(&write, trial.now() + trial.short().get());
    trial.settle().await;
    let reader_waits = trial.wait(&read);
    trial.pass(trial.short().get()).await;
    trial.soon_timed_out(writer_waits).await;
    trial.soon_granted(reader_waits, &read).await;
}

pub(crate) async fn g6_giving_a_waiting_id_up_takes_it_out_of_the_queue(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.queue(&request, 1).await;
    assert_eq!(trial.give_up(&holder.key, request.id()).await, Release::NotHeld);
    trial.queued(&holder.key, 0).await;
    assert_eq!(trial.release(&holder).await, Release::Released);
    trial.is_free(&holder.key).await;
    waiting.abort();
}

/// A direct grant carries the whole ttl: it starts at the grant, not when the waiter came.
pub(crate) async fn g3_a_waiter_is_granted_its_whole_ttl(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.request(&holder.key, trial.long());
    let waiting = trial.queue(&request, 1).await;
    trial.pass(trial.short().get()).await;
    assert_eq!(trial.release(&holder).await, Release::Released);
    let lease = trial.soon_granted(waiting, &request).await;
    assert_eq!(lease.grant.ttl, request.ttl());
    assert!(lease.grant.since <= trial.now());
    let shown = trial.inspect(&lease.key).await.leases.remove(0);
    if trial.is_virtual() {
        assert_eq!(shown.remaining + shown.age, request.ttl().get());
    }
    let end = trial.now() + shown.remaining + shown.remaining / 100 + trial.resolution();
    assert!(lease.grant.since + lease.grant.ttl.get() <= end);
}
