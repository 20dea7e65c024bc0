//! The checkers agree on 50,000 small random histories, sound and corrupted.

use leasehold_testkit::check::differential::{compare, random_history};

/// Four tests, so that they share the machine's cores; every twentieth history goes to the general checker,
/// which is the slowest.
fn agree(seeds: std::ops::Range<u64>) {
    let (mut allowed, mut refused) = (0, 0);
    for seed in seeds {
        let case = random_history(seed, 7);
        let compared = compare(&case, seed % 20 == 0);
        assert!(!compared.disagree(), "seed {seed}: {compared:?}");
        allowed += usize::from(compared.brute == Some(true));
        refused += usize::from(compared.brute == Some(false));
    }
    assert!(allowed > 8_000 && refused > 2_000, "{allowed} {refused}");
}

#[test]
fn first_quarter() {
    agree(0..12_500);
}

#[test]
fn second_quarter() {
    agree(12_500..25_000);
}

#[test]
fn third_quarter() {
    agree(25_000..37_500);
}

#[test]
fn last_quarter() {
    agree(37_500..50_000);
}
