//! `inspect`: one atomic reading, which changes nothing.

use leasehold::{KeyState, Release};

use crate::suite::trial::Trial;

pub(crate) async fn g8_an_unused_key_shows_nothing(trial: &Trial) {
    let key = trial.key("a");
    assert_eq!(trial.inspect(&key).await, KeyState::default());
    let lease = trial.hold(&key).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    assert_eq!(trial.inspect(&key).await, KeyState::default());
}

pub(crate) async fn g8_a_lease_is_shown_as_it_was_asked(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.long());
    let lease = trial.grant(&request).await;
    let state = trial.inspect(&lease.key).await;
    assert!(state.is_locked());
    let [shown] = &state.leases[..] else {
        panic!("expected one lease, got {state:?}");
    };
    assert_eq!(&shown.holder, request.holder());
    assert_eq!((shown.mode, shown.permits), (request.mode(), 1));
    assert_eq!(shown.token, lease.grant.token);
    assert!(!shown.released);
    assert!(shown.remaining <= request.ttl().get() + trial.resolution());
}

pub(crate) async fn g8_a_holder_is_shown_whole(trial: &Trial) {
    let name = "worker \"7\" | {a} % 日本";
    let holder = leasehold::Holder::new(name)
        .and_then(|holder| holder.with_host("web-1.example"))
        .map(|holder| holder.with_pid(4_000_000_000));
    let holder = holder.unwrap_or_else(|error| panic!("{error}"));
    let key = trial.key("a");
    trial.grant(&trial.request(&key, trial.long()).with_holder(holder.clone())).await;
    assert_eq!(trial.inspect(&key).await.leases[0].holder, holder);
}

pub(crate) async fn g8_remaining_and_age_run_with_time(trial: &Trial) {
    let (long, passed) = (trial.long().get(), trial.short().get());
    let lease = trial.hold(&trial.key("a")).await;
    trial.pass(passed).await;
    let shown = trial.inspect(&lease.key).await.leases.remove(0);
    if trial.is_virtual() {
        assert_eq!(shown.age, passed + trial.resolution());
        assert!(shown.remaining + shown.age >= long);
    }
    // A server's clock may run at another rate than ours.
    assert!(shown.age >= passed * 19 / 20, "too young: {shown:?}");
    assert!(shown.remaining <= long + trial.resolution() - passed * 19 / 20, "too long: {shown:?}");
}

pub(crate) async fn g8_leases_are_shown_oldest_first_with_mode_and_permits(trial: &Trial) {
    let key = trial.key("a");
    let requests = [3, 1, 2].map(|permits| trial.shared(&key, 7, permits));
    for request in &requests {
        trial.grant(request).await;
    }
    let state = trial.inspect(&key).await;
    assert_eq!(state.leases.len(), 3);
    for (shown, request) in state.leases.iter().zip(&requests) {
        assert_eq!(&shown.holder, request.holder());
        assert_eq!((shown.mode, shown.permits), (request.mode(), request.permits()));
    }
}

pub(crate) async fn g6_waiters_are_shown_in_order(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let requests = [1, 2, 3].map(|_| trial.request(&holder.key, trial.long()));
    let mut waiting = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        waiting.push(trial.queue(request, index + 1).await);
    }
    let state = trial.inspect(&holder.key).await;
    let shown: Vec<_> = state.waiters.iter().map(|waiter| &waiter.holder).collect();
    let asked: Vec<_> = requests.iter().map(|request| request.holder()).collect();
    assert_eq!(shown, asked);
    assert!(state.waiters.iter().all(|waiter| waiter.mode.is_exclusive() && waiter.permits == 1));
    assert!(state.waiters.is_sorted_by(|one, next| one.waited >= next.waited), "{state:?}");
}

pub(crate) async fn g6_a_shared_waiter_is_shown_with_mode_and_permits(trial: &Trial) {
    let holder = trial.hold(&trial.key("a")).await;
    let request = trial.shared(&holder.key, 5, 3);
    let _waiting = trial.queue(&request, 1).await;
    let waiter = trial.inspect(&holder.key).await.waiters.remove(0);
    assert_eq!((waiter.mode, waiter.permits), (request.mode(), 3));
}

pub(crate) async fn g8_inspecting_changes_nothing(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let first = trial.inspect(&lease.key).await;
    for _ in 0..5 {
        let again = trial.inspect(&lease.key).await;
        assert_eq!(again.leases[0].token, first.leases[0].token);
        assert!(again.leases[0].remaining <= first.leases[0].remaining);
    }
    assert_eq!(trial.release(&lease).await, Release::Released);
}

/// What a client may believe in, `since + ttl`, is never later than the end that the backend shows.
pub(crate) async fn g3_validity_is_never_longer_than_the_lease(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    assert!(lease.grant.since <= trial.now(), "a grant from the future: {:?}", lease.grant);
    let shown = trial.inspect(&lease.key).await.leases.remove(0);
    let end = trial.now() + shown.remaining + shown.remaining / 100 + trial.resolution();
    let believed = lease.grant.since + lease.grant.ttl.get();
    assert!(believed <= end, "believed until {believed}, ended by {end}");
}
