//! Several keys in one request: all or nothing.

use leasehold::{AcquireRequest, ErrorKind, Extension, LockKey, Mode, Release, TryAcquire};

use crate::suite::trial::{Lease, Trial, in_mode};

fn keys(trial: &Trial) -> [LockKey; 3] {
    ["a", "b", "c"].map(|name| trial.key(name))
}

pub(crate) async fn g1_all_keys_are_granted_together(trial: &Trial) {
    let keys = keys(trial);
    let all = trial.request_all(&keys, trial.long());
    trial.grant(&all).await;
    for key in &keys {
        trial.is_taken(key).await;
        assert_eq!(trial.give_up(key, all.id()).await, Release::Released);
        trial.is_free(key).await;
    }
}

pub(crate) async fn g1_one_taken_key_holds_all_and_leaves_nothing(trial: &Trial) {
    let keys = keys(trial);
    for taken in &keys {
        let holder = trial.hold(taken).await;
        let all = trial.request_all(&keys, trial.long());
        let held = trial.held(&all).await;
        assert_eq!(held.reason, leasehold::HeldReason::Lease);
        for free in keys.iter().filter(|key| *key != taken) {
            assert_eq!(
                trial.extend(&part(free, &all, &holder), trial.long()).await,
                Extension::Lost
            );
            trial.is_free(free).await;
        }
        assert_eq!(trial.release(&holder).await, Release::Released);
    }
    trial.grant(&trial.request_all(&keys, trial.long())).await;
}

/// Each request shares a key with the next one round the circle: whoever wins, no key has two owners, and no loser has any.
pub(crate) async fn g1_racing_requests_for_overlapping_keys_never_share_one(trial: &Trial) {
    let circle: Vec<_> = (0..6).map(|number| trial.key(&number.to_string())).collect();
    let pairs = (0..6).map(|at| [circle[at].clone(), circle[(at + 1) % 6].clone()]);
    let requests: Vec<_> = pairs.map(|keys| trial.request_all(&keys, trial.long())).collect();
    let tries = requests.iter().map(|request| trial.try_acquire(request));
    let outcomes = futures::future::join_all(tries).await;
    let mut granted = 0;
    for (request, outcome) in requests.iter().zip(&outcomes) {
        let won = matches!(outcome, TryAcquire::Granted(_));
        granted += usize::from(won);
        for key in request.keys() {
            let released = trial.give_up(key, request.id()).await;
            assert_eq!(released == Release::Released, won, "{key} of {outcome:?}");
        }
    }
    assert!((1..=3).contains(&granted), "{granted} of 6 granted");
    for key in &circle {
        trial.is_free(key).await;
    }
}

pub(crate) async fn g1_several_keys_can_be_read_together(trial: &Trial) {
    let [a, b, c] = keys(trial);
    let read = |keys: &[LockKey]| in_mode(trial.request_all(keys, trial.long()), Mode::READ, 1);
    let first = read(&[a.clone(), b.clone()]);
    trial.grant(&first).await;
    let second = read(&[b.clone(), c.clone()]);
    trial.grant(&second).await;
    assert_eq!(trial.inspect(&b).await.leases.len(), 2);
    trial.held(&trial.request_all(&[a, b.clone()], trial.long())).await;
    assert_eq!(trial.give_up(&b, first.id()).await, Release::Released);
    trial.is_taken(&b).await;
    assert_eq!(trial.give_up(&b, second.id()).await, Release::Released);
    trial.is_free(&b).await;
}

pub(crate) async fn g1_the_order_of_the_keys_does_not_matter(trial: &Trial) {
    let [a, b, c] = keys(trial);
    let there = trial.request_all(&[a.clone(), b.clone(), c.clone()], trial.long());
    trial.grant(&there).await;
    let back = AcquireRequest::for_keys([c, b, a], there.id(), trial.long());
    let back = back.unwrap_or_else(|error| panic!("{error}"));
    trial.grant(&back).await;
}

pub(crate) async fn g1_a_key_given_twice_is_one_key(trial: &Trial) {
    let [a, b, _] = keys(trial);
    let twice = trial.request_all(&[a.clone(), b.clone(), a.clone()], trial.long());
    trial.grant(&twice).await;
    assert_eq!(trial.inspect(&a).await.leases.len(), 1);
    assert_eq!(trial.give_up(&a, twice.id()).await, Release::Released);
    assert_eq!(trial.give_up(&a, twice.id()).await, Release::NotHeld);
    trial.is_free(&a).await;
    trial.is_taken(&b).await;
}

pub(crate) async fn g8_a_repeated_acquire_of_several_keys_gets_the_same_token(trial: &Trial) {
    let all = trial.request_all(&keys(trial), trial.long());
    let first = trial.grant(&all).await;
    assert_eq!(trial.grant(&all).await.grant.token, first.grant.token);
}

pub(crate) async fn g4_each_key_of_several_is_extended_for_itself(trial: &Trial) {
    let keys = keys(trial);
    for ttl in trial.scales() {
        let asked = trial.now();
        let all = trial.request_all(&keys, ttl);
        let lease = trial.grant(&all).await;
        let extended = trial.extend(&part(&keys[1], &all, &lease), trial.long()).await;
        if trial.too_late(asked, ttl) {
            trial.pass(ttl.get()).await;
            trial.give_up(&keys[1], all.id()).await;
            continue;
        }
        assert_eq!(extended, Extension::Extended);
        trial.pass(ttl.get()).await;
        trial.is_free(&keys[0]).await;
        trial.is_taken(&keys[1]).await;
        trial.is_free(&keys[2]).await;
        return;
    }
}

pub(crate) async fn g1_all_keys_end_together(trial: &Trial) {
    let keys = keys(trial);
    trial.grant(&trial.request_all(&keys, trial.short())).await;
    trial.pass(trial.short().get()).await;
    trial.grant(&trial.request_all(&keys, trial.long())).await;
}

pub(crate) async fn g1_as_many_keys_as_a_request_can_have(trial: &Trial) {
    let keys: Vec<_> =
        (0..AcquireRequest::MAX_KEYS).map(|number| trial.key(&number.to_string())).collect();
    let all = trial.request_all(&keys, trial.long());
    trial.grant(&all).await;
    for key in &keys {
        trial.is_taken(key).await;
    }
}

/// An id given up on one key is over: its late duplicate takes none of the others.
pub(crate) async fn g5_an_id_given_up_on_one_key_takes_none(trial: &Trial) {
    let keys = keys(trial);
    let all = trial.request_all(&keys, trial.long());
    trial.give_up(&keys[1], all.id()).await;
    trial.refused(&all, ErrorKind::IdReused).await;
    for key in &keys {
        trial.is_free(key).await;
    }
}

/// Two clients that name the same keys the other way round never block each other for good.
pub(crate) async fn g7_opposite_orders_do_not_deadlock(trial: &Trial) {
    let [a, b, _] = keys(trial);
    let clients = [[a.clone(), b.clone()], [b, a]].map(|keys| async move {
        for _ in 0..4 {
            let all = trial.request_all(&keys, trial.long());
            trial.acquire(&all).await;
            for key in &keys {
                assert_eq!(trial.give_up(key, all.id()).await, Release::Released);
            }
        }
    });
    trial.finish(clients).await;
}

pub(crate) async fn g5_a_timed_out_wait_for_several_keys_leaves_nothing(trial: &Trial) {
    let keys = keys(trial);
    let holder = trial.hold(&keys[1]).await;
    let all = trial.request_all(&keys, trial.long());
    let waiting = trial.wait_until(&all, trial.now() + trial.short().get());
    trial.pass(trial.short().get()).await;
    trial.soon_timed_out(waiting).await;
    assert_eq!(trial.release(&holder).await, Release::Released);
    for key in &keys {
        assert_eq!(trial.inspect(key).await.waiters, []);
        trial.is_free(key).await;
    }
    trial.refused(&all, ErrorKind::IdReused).await;
}

fn part(key: &LockKey, of: &AcquireRequest, like: &Lease) -> Lease {
    Lease { key: key.clone(), id: of.id(), grant: like.grant }
}
