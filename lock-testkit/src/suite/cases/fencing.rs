//! G2: tokens of a key are unique and grow in grant order.

use leasehold::{FencingToken, LockKey, Release};

use crate::suite::trial::{Lease, Trial};

pub(crate) async fn g2_tokens_grow_over_release(trial: &Trial) {
    let key = trial.key("a");
    let mut tokens = Vec::new();
    for _ in 0..50 {
        let lease = trial.hold(&key).await;
        assert_eq!(trial.release(&lease).await, Release::Released);
        tokens.push(lease.grant.token);
    }
    grow(&tokens);
}

pub(crate) async fn g2_tokens_grow_over_expiry(trial: &Trial) {
    let key = trial.key("a");
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let lease = trial.grant(&trial.request(&key, trial.short())).await;
        tokens.push(lease.grant.token);
        trial.pass(trial.short().get()).await;
    }
    tokens.push(trial.hold(&key).await.grant.token);
    grow(&tokens);
}

pub(crate) async fn g2_tokens_grow_over_revocation(trial: &Trial) {
    let key = trial.key("a");
    let first = trial.hold(&key).await;
    assert_eq!(trial.revoke(&key).await, 1);
    let second = trial.hold(&key).await;
    grow(&[first.grant.token, second.grant.token]);
}

pub(crate) async fn g2_tokens_of_racing_clients_are_unique_and_grow_for_each(trial: &Trial) {
    let key = trial.key("a");
    let clients = (0..4).map(|_| async {
        let mut tokens = Vec::new();
        for _ in 0..8 {
            let request = trial.request(&key, trial.long());
            let lease = trial.acquire(&request).await;
            tokens.push(lease.grant.token);
            assert_eq!(trial.release(&lease).await, Release::Released);
        }
        grow(&tokens);
        tokens
    });
    let mut all = trial.finish(clients).await.concat();
    all.sort_unstable();
    grow(&all);
}

pub(crate) async fn g2_shared_leases_have_tokens_that_grow(trial: &Trial) {
    let key = trial.key("a");
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(trial.grant(&trial.read(&key)).await.grant.token);
    }
    grow(&tokens);
}

pub(crate) async fn g2_one_token_of_several_keys_is_above_all_of_each(trial: &Trial) {
    let keys = [trial.key("a"), trial.key("b"), trial.key("c")];
    let mut before = Vec::new();
    for (key, times) in keys.iter().zip([4, 1, 0]) {
        for _ in 0..times {
            before.push(pass_through(trial, key).await);
        }
    }
    let all = trial.request_all(&keys, trial.long());
    let token = trial.grant(&all).await.grant.token;
    assert!(before.iter().all(|old| *old < token), "{token} is not above {before:?}");
    for key in &keys {
        let shown: Vec<_> =
            trial.inspect(key).await.leases.iter().map(|lease| lease.token).collect();
        assert_eq!(shown, [token]);
        assert_eq!(trial.give_up(key, all.id()).await, Release::Released);
        grow(&[token, pass_through(trial, key).await]);
    }
}

pub(crate) async fn g2_a_token_is_above_those_before_a_minimum_hold(trial: &Trial) {
    use crate::suite::trial::holding;

    let key = trial.key("a");
    let short = trial.short();
    let first = trial.grant(&holding(trial.request(&key, short), short.get())).await;
    trial.release(&first).await;
    trial.pass(short.get()).await;
    grow(&[first.grant.token, trial.hold(&key).await.grant.token]);
}

pub(crate) async fn g2_the_token_shown_is_the_token_granted(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let state = trial.inspect(&lease.key).await;
    assert_eq!(state.leases[0].token, lease.grant.token);
}

/// Nothing forbids an id to come back after its lease ran out; its old token must not.
pub(crate) async fn g2_an_id_that_ran_out_never_gets_its_token_again(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.short());
    let first = trial.grant(&request).await;
    trial.pass(request.ttl().get()).await;
    if let Ok(outcome) = trial.backend.try_acquire(&request).await {
        let Lease { grant, .. } = trial.granted(&request, &outcome);
        grow(&[first.grant.token, grant.token]);
    }
}

async fn pass_through(trial: &Trial, key: &LockKey) -> FencingToken {
    let lease = trial.hold(key).await;
    assert_eq!(trial.release(&lease).await, Release::Released);
    lease.grant.token
}

#[track_caller]
fn grow(tokens: &[FencingToken]) {
    assert!(tokens.is_sorted_by(|one, next| one < next), "they don't grow: {tokens:?}");
}
