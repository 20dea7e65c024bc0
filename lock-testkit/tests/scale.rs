//! The lock checker stays near-linear: the configurations that it makes are bounded per operation.

use leasehold_testkit::check::differential::{Shape, busy_history};
use leasehold_testkit::check::lock::{Options, check};
use leasehold_testkit::history::Outcome;

const NEVER: u64 = 1 << 50;

fn shapes() -> Vec<Shape> {
    let shape = |operations, clients, ttl_ns, lost, waits| Shape {
        operations,
        clients,
        ttl_ns,
        lost,
        waits,
    };
    vec![
        shape(500, 50, NEVER, 0, false),
        shape(5_000, 20, 3_000, 0, false),
        shape(5_000, 50, 3_000, 0, true),
        shape(5_000, 5, 3_000, 10, false),
        shape(20_000, 100, 3_000, 0, false),
    ]
}

#[test]
fn configurations_grow_with_the_operations() {
    for shape in shapes() {
        let checked = check(&busy_history(shape, 1).unwrap(), &Options::default());
        assert!(checked.verdict.is_ok(), "{shape:?}");
        let bound = 4 * shape.operations as u64;
        assert!(checked.explored <= bound, "{shape:?}: {}", checked.explored);
        assert!(checked.widest <= 64, "{shape:?}: {}", checked.widest);
    }
}

#[test]
fn one_wrong_answer_late_in_a_long_history_is_found() {
    for shape in shapes() {
        let history = busy_history(shape, 2).unwrap();
        let mut changed = false;
        let corrupted = history.map(|op| {
            let late = op.id.0 > shape.operations * 9 / 10;
            if let (true, false, Some((_, outcome))) = (late, changed, &mut op.returned)
                && matches!(outcome, Outcome::Extended | Outcome::Released)
            {
                *outcome = match outcome {
                    Outcome::Extended => Outcome::Lost,
                    _ => Outcome::NotHeld,
                };
                changed = true;
            }
        });
        let verdict = check(&corrupted, &Options::default()).verdict;
        assert_eq!(verdict.is_violation(), changed, "{shape:?}");
    }
}
