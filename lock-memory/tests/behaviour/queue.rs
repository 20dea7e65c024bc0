//! What each operation does to those who wait.

use leasehold_memory::state::{Operation, Turn};

use crate::{script::*, support::*};

#[test]
fn a_key_can_be_forgotten_once_nothing_depends_on_it() {
    let mut state = script([(0, tries(by(1)), "granted 1"), (9, waits(by(2), 90), "waiting")]);
    assert!(!state.is_forgettable(at(60)), "somebody waits");
    state.leave(at(60), id(2));
    assert!(!state.is_forgettable(at(69)), "an id is remembered");
    assert!(state.is_forgettable(at(70)));
    state.try_acquire(at(70), &by(3)).0.unwrap();
    assert!(!state.is_forgettable(at(79)), "a lease is live");
    assert!(state.is_forgettable(at(80)));
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
            (second, Operation::Inspect, &format!("worker-2 10s, worker-3 since {second}s")),
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
        (0, Operation::Inspect, "worker-1 10s, worker-2 since 0ns, worker-4 since 0ns"),
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
fn the_next_wake_is_the_earliest_end_while_somebody_waits() {
    let mut state =
        script([(0, tries(reader(1)), "granted 1"), (3, tries(reader(2)), "granted 3000000")]);
    assert_eq!(state.next_wake(), None);
    let (turn, _) = state.acquire(at(4), &by(3), at(90));
    assert_eq!(turn, Ok(Turn::Waiting));
    assert_eq!(state.next_wake(), Some(at(10)));
    assert_eq!(state.tick(at(10)), []);
    assert_eq!(state.next_wake(), Some(at(13)));
    assert_eq!(state.tick(at(13)).len(), 1);
    assert_eq!(state.next_wake(), None);
}
