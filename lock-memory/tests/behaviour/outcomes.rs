//! What each operation answers to one who asks for a lease, holds it or lets it go.

use leasehold::{AcquireRequest, Downgrade, Mode};
use leasehold_memory::state::{Operation, Retention, State};

use crate::{script::*, support::*};

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
    let retention = Retention { time: secs(10), ids: 2 };
    let mut state = State::new(retention);
    for number in 1..=3 {
        state.release(at(0), id(number));
    }
    let mut refused = |number| state.try_acquire(at(1), &by(number)).0.is_err();
    assert_eq!([refused(3), refused(2), refused(1)], [true, true, false]);
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
fn a_downgraded_writer_is_a_reader_with_its_token_and_end_and_lets_readers_in() {
    let mut state = script([
        (0, waits(by(1), 99), "granted 1"),
        (1, waits(reader(2), 99), "waiting"),
        (2, waits(by(3), 99), "waiting"),
        (3, waits(reader(4), 99), "waiting"),
        (4, downgrades(3), "lost"),
        (4, downgrades(1), "downgraded → 2 gets 4000000"),
        (5, downgrades(1), "downgraded"),
        (5, tries(by(1)), "id reused"),
        (5, downgrades(2), "downgraded"),
        (6, releases(2), "released"),
    ]);
    let shown = state.inspect(at(6));
    assert_eq!((shown.leases.len(), shown.waiters.len()), (1, 2), "{shown:?}");
    assert_eq!((shown.leases[0].mode, shown.leases[0].age), (Mode::READ, secs(6)));
    assert_eq!(shown.leases[0].remaining, secs(4));
    let (lost, granted) = state.downgrade(at(10), id(1));
    assert_eq!((lost, granted), (Ok(Downgrade::Lost), Vec::new()), "at its end");
    assert_eq!(state.tick(at(10)).len(), 1);
}

#[test]
fn permits_and_what_was_released_can_not_be_downgraded() {
    script([
        (0, tries(shared_by(1, 3, 2)), "granted 1"),
        (1, downgrades(1), "id reused"),
        (2, releases(1), "released"),
        (2, downgrades(1), "lost"),
        (2, tries(holding_4s(2)), "granted 2000000"),
        (3, releases(2), "released"),
        (3, downgrades(2), "lost"),
        (3, tries(reader(3)), "lease held for 3s"),
        (3, downgrades(4), "lost"),
    ]);
}
