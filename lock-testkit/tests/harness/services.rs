//! The three worked services: each is found broken, and passes when right.

use leasehold_testkit::harness::{Harness, Subject};

use super::simulate::{inventory::Inventory, payment::Paying, store::Deposits};

/// How many plans a right service must pass.
const PLANS: u64 = 10_000;

/// The broken one is found within so many plans, wherever the hunt begins, with this sentence.
fn is_found<S: Subject>(subject: S, within: u64, sentence: &str) {
    let harness = Harness::new(subject);
    for first in (0..10).map(|hunt| hunt * 1_000_000) {
        let hunted = harness.hunt(first, within);
        let failure = hunted.failure.unwrap_or_else(|| panic!("not found from seed {first} on"));
        assert!(failure.sentence().contains(sentence), "{failure}");
    }
}

fn passes<S: Subject>(subject: S) {
    let hunted = Harness::new(subject).hunt(0, PLANS);
    assert!(hunted.failure.is_none(), "{}", hunted.failure.unwrap());
    assert_eq!((hunted.plans, hunted.undecided), (PLANS, 0));
}

#[test]
fn an_inventory_without_fences_oversells() {
    is_found(Inventory { fenced: false }, 200, "oversold");
}

#[test]
fn an_inventory_with_fences_holds() {
    passes(Inventory { fenced: true });
}

#[test]
fn a_payment_without_an_idempotency_key_charges_twice() {
    is_found(Paying { idempotent: false }, 200, "was charged twice");
}

#[test]
fn a_payment_with_an_idempotency_key_charges_once() {
    passes(Paying { idempotent: true });
}

#[test]
fn a_store_that_fences_only_writes_loses_updates() {
    is_found(Deposits { fence_reads: false }, 5_000, "no order explains");
}

#[test]
fn a_store_that_fences_reads_and_writes_loses_nothing() {
    passes(Deposits { fence_reads: true });
}
