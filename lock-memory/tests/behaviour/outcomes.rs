//! The outcome of every operation, as scripts: at a second, an operation, and what it answers.

use leasehold::{AcquireRequest, Held, HeldReason, TryAcquire};
use leasehold_memory::state::{
    Operation, Outcome, Refusal, Retention, State, Turn, WakeUp, try_acquire_all,
};

use crate::support::*;

/// Runs the steps and compares the answers, those granted by it after an arrow.
#[track_caller]
fn script<const N: usize>(steps: [(u64, Operation, &str); N]) -> State {
    let mut state = State::default();
    for (number, (second, operation, expected)) in steps.into_iter().enumerate() {
        let (outcome, granted) = state.apply(at(second), &operation);
        let answer = answer(&outcome, &granted);
        assert_eq!(
            answer, expected,
            "step {number} at {second}s: {operation:?}"
        );
    }
    state
}

fn answer(outcome: &Outcome, granted: &[WakeUp]) -> String {
    let outcome = match outcome {
        Outcome::TryAcquire(Ok(TryAcquire::Granted(grant)))
        | Outcome::Acquire(Ok(Turn::Granted(grant))) => format!("granted {}", grant.token),
        Outcome::TryAcquire(Ok(TryAcquire::Held(held))) => held_by(held),
        Outcome::Acquire(Ok(Turn::Waiting)) => "waiting".into(),
        Outcome::Acquire(Ok(Turn::TimedOut(_))) => "timed out".into(),
        Outcome::TryAcquire(Err(refusal)) | Outcome::Acquire(Err(refusal)) => refused(*refusal),
        Outcome::Extend(extension) => format!("{extension:?}").to_lowercase(),
        Outcome::Release(release) => format!("{release:?}").to_lowercase(),
        Outcome::Revoke(revoked) => format!("revoked {}", revoked.leases),
        Outcome::Done => "done".into(),
        Outcome::Inspect(key) => {
            let leases = key.leases.iter();
            let leases = leases.map(|lease| format!("{} {:?}", lease.holder, lease.remaining));
            let waiters = key.waiters.iter();
            let waiters =
                waiters.map(|waiter| format!("{} since {:?}", waiter.holder, waiter.waited));
            let both: Vec<_> = leases.chain(waiters).collect();
            both.join(", ")
        }
    };
    let wake_ups = granted.iter();
    let wake_ups = wake_ups.map(|wake_up| {
        let number = wake_up.id.expose_bytes()[0];
        format!(" → {number} gets {}", wake_up.grant.token)
    });
    outcome + &wake_ups.collect::<String>()
}

fn held_by(held: &Held) -> String {
    let after = held
        .retry_after
        .map_or(String::new(), |after| format!(" for {after:?}"));
    format!(
        "{} held{after}",
        match held.reason {
            HeldReason::Lease => "lease",
            HeldReason::Queue => "queue",
            _ => "other",
        }
    )
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::IdReused => "id reused".into(),
        Refusal::LimitMismatch => "limit mismatch".into(),
    }
}

fn tries(request: AcquireRequest) -> Operation {
    Operation::TryAcquire(request)
}

fn waits(request: AcquireRequest, until: u64) -> Operation {
    Operation::Acquire {
        request,
        deadline: at(until),
    }
}

fn extends(number: u8, seconds: u64) -> Operation {
    Operation::Extend {
        id: id(number),
        ttl: ttl(seconds),
    }
}

fn releases(number: u8) -> Operation {
    Operation::Release { id: id(number) }
}

fn leaves(number: u8) -> Operation {
    Operation::Leave { id: id(number) }
}

fn holding_4s(number: u8) -> AcquireRequest {
    by(number).with_min_hold(secs(4)).unwrap()
}

#[test]
fn an_exclusive_lease_keeps_everybody_out_until_the_instant_it_ends() {
    script([
        (0, tries(by(1)), "granted 1"),
        (0, tries(by(2)), "lease held for 10s"),
        (9, tries(reader(3)), "lease held for 1s"),
        (10, tries(by(2)), "granted 10000000"),
    ]);
}

#[test]
fn a_token_is_the_clock_in_microseconds_or_one_more_than_the_last() {
    script([
        (3, tries(by(1)), "granted 3000000"),
        (3, releases(1), "released"),
        (3, tries(by(2)), "granted 3000001"),
        (3, Operation::Revoke, "revoked 1"),
        (3, tries(by(3)), "granted 3000002"),
        (4, releases(3), "released"),
        (4, tries(by(4)), "granted 4000000"),
    ]);
}

#[test]
fn a_repeated_acquire_gets_the_same_token_and_never_a_shorter_lease() {
    let short = AcquireRequest::new(key("k"), id(1), ttl(1)).with_holder(by(1).holder().clone());
    script([
        (0, tries(by(1)), "granted 1"),
        (4, tries(by(1)), "granted 1"),
        (4, Operation::Inspect, "worker-1 10s"),
        (5, tries(short), "granted 1"),
        (5, waits(by(1), 90), "granted 1"),
        (5, Operation::Inspect, "worker-1 10s"),
        (15, tries(by(1)), "granted 15000000"),
    ]);
}

#[test]
fn an_id_in_use_on_other_terms_is_refused() {
    script([
        (0, tries(shared_by(1, 3, 2)), "granted 1"),
        (0, tries(by(1)), "id reused"),
        (0, tries(reader(1)), "id reused"),
        (0, tries(shared_by(1, 4, 2)), "id reused"),
        (0, tries(shared_by(1, 3, 1)), "id reused"),
        (0, waits(by(2), 90), "waiting"),
        (0, tries(reader(2)), "id reused"),
        (0, waits(reader(2), 90), "id reused"),
    ]);
}

#[test]
fn an_id_given_up_is_refused_for_the_retention_and_no_longer() {
    script([
        (0, tries(by(1)), "granted 1"),
        (0, releases(1), "released"),
        (0, tries(by(1)), "id reused"),
        (0, waits(by(1), 90), "id reused"),
        (9, tries(by(1)), "id reused"),
        (10, tries(by(1)), "granted 10000000"),
    ]);
    // Used again after that, it is remembered again.
    script([
        (0, tries(by(1)), "granted 1"),
        (0, releases(1), "released"),
        (10, tries(by(1)), "granted 10000000"),
        (11, releases(1), "released"),
        (12, tries(by(1)), "id reused"),
    ]);
    // Given up before its acquire came.
    script([
        (0, releases(2), "notheld"),
        (1, tries(by(2)), "id reused"),
        (1, leaves(3), "done"),
        (1, tries(by(3)), "id reused"),
    ]);
}

#[test]
fn a_busy_key_forgets_its_oldest_ids_first() {
    let retention = Retention {
        time: secs(10),
        ids: 2,
    };
    let mut state = State::new(retention);
    for number in 1..=3 {
        state.release(at(0), id(number));
    }
    let mut refused = |number| state.try_acquire(at(1), &by(number)).0.is_err();
    assert_eq!([refused(3), refused(2), refused(1)], [true, true, false]);
}

#[test]
fn a_key_can_be_forgotten_once_nothing_depends_on_it() {
    let mut state = script([
        (0, tries(by(1)), "granted 1"),
        (9, waits(by(2), 90), "waiting"),
    ]);
    assert!(!state.is_forgettable(at(60)), "somebody waits");
    state.leave(at(60), id(2));
    assert!(!state.is_forgettable(at(69)), "an id is remembered");
    assert!(state.is_forgettable(at(70)));
    state.try_acquire(at(70), &by(3)).0.unwrap();
    assert!(!state.is_forgettable(at(79)), "a lease is live");
    assert!(state.is_forgettable(at(80)));
}

#[test]
fn a_lease_can_be_extended_until_its_end_and_is_never_shortened_or_revived() {
    script([
        (0, tries(by(1)), "granted 1"),
        (1, extends(1, 3), "extended"),
        (1, Operation::Inspect, "worker-1 9s"),
        (9, extends(1, 10), "extended"),
        (9, Operation::Inspect, "worker-1 10s"),
        (19, extends(1, 10), "lost"),
        (19, Operation::Inspect, ""),
        (20, releases(1), "notheld"),
    ]);
}

#[test]
fn only_the_id_that_holds_can_extend_or_release() {
    script([
        (0, tries(by(1)), "granted 1"),
        (0, extends(2, 50), "lost"),
        (0, releases(2), "notheld"),
        (0, leaves(3), "done"),
        (0, Operation::Inspect, "worker-1 10s"),
        (1, releases(1), "released"),
        (1, releases(1), "notheld"),
        (1, extends(1, 10), "lost"),
    ]);
}

#[test]
fn shared_leases_stay_within_the_limit_counting_permits() {
    script([
        (0, tries(shared_by(1, 3, 2)), "granted 1"),
        (0, tries(shared_by(2, 3, 2)), "lease held for 10s"),
        (0, tries(shared_by(2, 3, 1)), "granted 2"),
        (0, tries(shared_by(3, 3, 1)), "lease held for 10s"),
        (0, tries(by(4)), "lease held for 10s"),
        (1, releases(1), "released"),
        (1, tries(shared_by(3, 3, 2)), "granted 1000000"),
    ]);
}

#[test]
fn readers_share_without_limit_and_a_permit_beside_them_counts_them_all() {
    script([
        (0, tries(reader(1)), "granted 1"),
        (0, tries(reader(2)), "granted 2"),
        (0, tries(shared_by(3, 2, 1)), "lease held for 10s"),
        (0, tries(shared_by(3, 3, 1)), "granted 3"),
        (0, tries(reader(4)), "lease held for 10s"),
    ]);
}

#[test]
fn two_finite_limits_in_use_on_one_key_are_refused() {
    script([
        (0, tries(shared_by(1, 3, 1)), "granted 1"),
        (0, tries(shared_by(2, 4, 1)), "limit mismatch"),
        (0, waits(shared_by(2, 4, 1), 90), "limit mismatch"),
        (10, tries(shared_by(2, 4, 1)), "granted 10000000"),
    ]);
    // A waiter's limit is in use too.
    script([
        (0, tries(by(1)), "granted 1"),
        (0, waits(shared_by(2, 4, 1), 5), "waiting"),
        (0, tries(shared_by(3, 3, 1)), "limit mismatch"),
        (6, tries(shared_by(3, 3, 1)), "lease held for 4s"),
    ]);
}

#[test]
fn whatever_frees_the_key_grants_the_first_waiter_with_its_full_ttl() {
    let frees: [(u64, Operation, &str); 4] = [
        (4, releases(1), "released → 2 gets 4000000"),
        (4, leaves(1), "done → 2 gets 4000000"),
        (4, Operation::Revoke, "revoked 1 → 2 gets 4000000"),
        (10, Operation::Tick, "done → 2 gets 10000000"),
    ];
    for free in frees {
        let second = free.0;
        script([
            (0, tries(by(1)), "granted 1"),
            (0, waits(by(2), 90), "waiting"),
            (0, waits(by(3), 90), "waiting"),
            free,
            (
                second,
                Operation::Inspect,
                &format!("worker-2 10s, worker-3 since {second}s"),
            ),
        ]);
    }
}

#[test]
fn a_compatible_prefix_of_the_queue_is_granted_at_once_and_nobody_behind_it() {
    script([
        (0, tries(by(1)), "granted 1"),
        (0, waits(reader(2), 90), "waiting"),
        (0, waits(reader(3), 90), "waiting"),
        (0, waits(by(4), 90), "waiting"),
        (0, waits(reader(5), 90), "waiting"),
        (1, releases(1), "released → 2 gets 1000000 → 3 gets 1000001"),
        (2, releases(2), "released"),
        (2, releases(3), "released → 4 gets 2000000"),
        (3, releases(4), "released → 5 gets 3000000"),
    ]);
}

#[test]
fn a_waiter_that_leaves_lets_those_behind_it_through() {
    script([
        (0, tries(reader(1)), "granted 1"),
        (0, waits(by(2), 90), "waiting"),
        (0, waits(reader(3), 90), "waiting"),
        (1, leaves(2), "done → 3 gets 1000000"),
        (1, tries(by(2)), "id reused"),
    ]);
    // So does its deadline …
    script([
        (0, tries(reader(1)), "granted 1"),
        (0, waits(by(2), 5), "waiting"),
        (0, waits(reader(3), 90), "waiting"),
        (5, waits(by(2), 5), "timed out → 3 gets 5000000"),
    ]);
    // … and giving up the id by a release.
    script([
        (0, tries(reader(1)), "granted 1"),
        (0, waits(by(2), 90), "waiting"),
        (0, waits(reader(3), 90), "waiting"),
        (1, releases(2), "notheld → 3 gets 1000000"),
    ]);
}

#[test]
fn nobody_passes_those_who_wait() {
    script([
        (0, tries(reader(1)), "granted 1"),
        (0, waits(by(2), 90), "waiting"),
        (0, tries(reader(3)), "queue held for 10s"),
        (0, waits(reader(4), 90), "waiting"),
        (0, waits(by(2), 90), "waiting"),
        (
            0,
            Operation::Inspect,
            "worker-1 10s, worker-2 since 0ns, worker-4 since 0ns",
        ),
        // The lease ran out, but nothing has ticked the key since.
        (10, tries(reader(3)), "queue held"),
        (10, tries(reader(4)), "queue held"),
        // Its own try is a grant to the waiting task too; asking to wait again is that task.
        (10, tries(by(2)), "granted 10000000 → 2 gets 10000000"),
        (20, waits(reader(4), 90), "granted 20000000"),
    ]);
}

#[test]
fn what_changes_nothing_grants_nobody() {
    let quiet = [
        (10, Operation::Inspect, "worker-2 since 10s"),
        (10, extends(1, 10), "lost"),
        (10, extends(9, 10), "lost"),
        (10, releases(1), "notheld"),
        (10, releases(9), "notheld"),
        (10, leaves(9), "done"),
        (10, tries(by(3)), "queue held"),
    ];
    for step in quiet {
        script([
            (0, tries(by(1)), "granted 1"),
            (0, waits(by(2), 90), "waiting"),
            step,
            (10, Operation::Tick, "done → 2 gets 10000000"),
        ]);
    }
}

#[test]
fn a_waiter_is_granted_at_its_deadline_and_passed_over_after_it() {
    script([
        (0, tries(by(1)), "granted 1"),
        (0, waits(by(2), 10), "waiting"),
        (10, Operation::Tick, "done → 2 gets 10000000"),
    ]);
    script([
        (0, tries(by(1)), "granted 1"),
        (0, waits(by(2), 9), "waiting"),
        (0, waits(by(3), 10), "waiting"),
        (10, Operation::Inspect, "worker-3 since 10s"),
        (10, Operation::Tick, "done → 3 gets 10000000"),
        (10, tries(by(2)), "id reused"),
    ]);
}

#[test]
fn waiting_with_a_deadline_that_has_passed_gets_a_free_key_and_no_place() {
    script([
        (5, waits(by(1), 2), "granted 5000000"),
        (5, waits(by(2), 2), "timed out"),
        (5, waits(by(3), 5), "timed out"),
        (5, Operation::Inspect, "worker-1 10s"),
        (6, releases(1), "released"),
        (6, tries(by(2)), "id reused"),
    ]);
}

#[test]
fn a_minimum_hold_outlives_the_release() {
    script([
        (0, tries(holding_4s(1)), "granted 1"),
        (1, waits(by(2), 90), "waiting"),
        (1, releases(1), "released"),
        (1, Operation::Inspect, "worker-1 3s, worker-2 since 0ns"),
        (1, releases(1), "notheld"),
        (1, extends(1, 10), "lost"),
        (1, tries(holding_4s(1)), "queue held for 3s"),
        (1, waits(holding_4s(1), 90), "id reused"),
        (4, Operation::Tick, "done → 2 gets 4000000"),
        (4, tries(holding_4s(1)), "id reused"),
    ]);
    script([
        (0, tries(holding_4s(1)), "granted 1"),
        (6, releases(1), "released"),
        (6, tries(by(2)), "granted 6000000"),
    ]);
}

#[test]
fn a_minimum_hold_ends_with_a_revoke_or_with_an_acquisition_nobody_saw() {
    script([
        (0, tries(holding_4s(1)), "granted 1"),
        (1, releases(1), "released"),
        (1, Operation::Revoke, "revoked 1"),
        (1, tries(holding_4s(2)), "granted 1000000"),
        (2, leaves(2), "done"),
        (2, tries(by(3)), "granted 2000000"),
    ]);
}

#[test]
fn the_next_wake_is_the_earliest_end_while_somebody_waits() {
    let mut state = script([
        (0, tries(reader(1)), "granted 1"),
        (3, tries(reader(2)), "granted 3000000"),
    ]);
    assert_eq!(state.next_wake(), None);
    let (turn, _) = state.acquire(at(4), &by(3), at(90));
    assert_eq!(turn, Ok(Turn::Waiting));
    assert_eq!(state.next_wake(), Some(at(10)));
    assert_eq!(state.tick(at(10)), []);
    assert_eq!(state.next_wake(), Some(at(13)));
    assert_eq!(state.tick(at(13)).len(), 1);
    assert_eq!(state.next_wake(), None);
}

#[test]
fn several_keys_share_one_token_greater_than_the_last_of_each() {
    let mut one = script([(0, tries(by(1)), "granted 1"), (0, releases(1), "released")]);
    let mut two = script([
        (7, tries(by(2)), "granted 7000000"),
        (7, releases(2), "released"),
    ]);
    let both = by(3);
    let mut keys = [&mut one, &mut two];
    let first = granted(&try_acquire_all(at(7), &both, &mut keys).unwrap());
    assert_eq!(first.token.get(), 7_000_001);
    let again = granted(&try_acquire_all(at(8), &both, &mut keys).unwrap());
    assert_eq!(again.token, first.token);
    assert_eq!(one.inspect(at(8)), two.inspect(at(8)));
    assert_eq!(one.inspect(at(8)).leases[0].remaining, secs(10));
}

#[test]
fn several_keys_are_granted_all_or_none() {
    let mut free = State::default();
    let mut taken = script([(0, tries(by(1)), "granted 1")]);
    let (before, both) = ((free.clone(), taken.clone()), by(3));
    let held = try_acquire_all(at(1), &both, &mut [&mut free, &mut taken]).unwrap();
    assert!(matches!(held, TryAcquire::Held(_)));
    assert_eq!((&free, &taken), (&before.0, &before.1));

    // A grant that lost one of its keys is not granted again.
    let mut other = State::default();
    granted(&try_acquire_all(at(1), &both, &mut [&mut free, &mut other]).unwrap());
    other.revoke(at(2));
    let repeated = try_acquire_all(at(2), &both, &mut [&mut free, &mut other]);
    assert_eq!(repeated, Err(Refusal::IdReused));
}
