//! Several keys in one request.

use leasehold::TryAcquire;
use leasehold_memory::state::{Refusal, State, try_acquire_all};

use crate::{script::*, support::*};

#[test]
fn several_keys_share_one_token_greater_than_the_last_of_each() {
    let mut one = script([(0, tries(by(1)), "granted 1"), (0, releases(1), "released")]);
    let mut two = script([(7, tries(by(2)), "granted 7000000"), (7, releases(2), "released")]);
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
