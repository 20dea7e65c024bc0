//! The pages that the browser opens.

use std::path::PathBuf;

use leasehold_testkit::check::differential::{Shape, busy_history};
use leasehold_testkit::check::lock::{Options, check};
use leasehold_testkit::history::{
    Call, HeldReason, History, HistoryBuilder, LeaseRequest, Outcome,
};
use leasehold_testkit::report::{FaultBand, Replay, Report, html};
use tempfile::TempDir;

/// Above 2^53, where a page that counts in doubles would round.
pub(crate) const TOKEN: u64 = 1_763_689_440_123_456_789;

/// A file with the report on this history.
pub(crate) fn page(history: &History, faults: &[FaultBand]) -> (TempDir, PathBuf) {
    let options = Options::default();
    let report = Report::new(history, &options, &check(history, &options), Replay::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, html(history, &report, faults)).unwrap();
    (folder, file)
}

/// Ten operations of three clients in milliseconds; `c3` is granted what `c1` still holds.
pub(crate) fn ten() -> (History, Vec<FaultBand>) {
    const MS: u64 = 1_000_000;
    let mut builder = HistoryBuilder::new();
    let take = |lease: &str| LeaseRequest::exclusive(lease, "orders/42", 30 * MS);
    let granted = |more| Outcome::Granted { token: TOKEN + more, ttl_ns: 30 * MS };
    let try_acquire = |lease: &str| Call::TryAcquire(take(lease));
    let extend = |lease: &str| Call::Extend {
        lease: lease.into(),
        key: "orders/42".into(),
        ttl_ns: 30 * MS,
    };
    let release = |lease: &str| Call::Release { lease: lease.into(), key: "orders/42".into() };
    let mut say = |client: &str, from: u64, to: u64, call, outcome| {
        let op = builder.invoke(from * MS, client, call).unwrap();
        builder.returned(to * MS, op, outcome).unwrap();
    };
    let held = || Outcome::Held { reason: HeldReason::Lease };
    say("c1", 0, 1, try_acquire("c1.1"), granted(0));
    say("c2", 2, 3, try_acquire("c2.1"), held());
    say("c1", 8, 9, release("c1.1"), Outcome::Released);
    say("c2", 10, 12, try_acquire("c2.2"), granted(1));
    say("c3", 50, 52, try_acquire("c3.1"), granted(2));
    say("c1", 60, 61, try_acquire("c1.2"), held());
    say("c3", 70, 72, extend("c3.1"), Outcome::Extended);
    say("c2", 75, 76, extend("c2.2"), Outcome::Lost);
    say("c1", 80, 81, try_acquire("c1.3"), granted(3));
    say("c2", 95, 96, release("c2.2"), Outcome::NotHeld);
    let faults = vec![
        FaultBand::new(45 * MS, 70 * MS, "paused").on("c2"),
        FaultBand::new(78 * MS, 84 * MS, "reply lost"),
    ];
    (builder.finish(), faults)
}

/// So many operations of so many clients on one key.
pub(crate) fn busy(operations: usize, clients: usize) -> History {
    let shape = Shape { operations, clients, ttl_ns: 2_000, lost: 10, waits: true };
    busy_history(shape, 1).unwrap()
}

/// So many operations of twelve clients; one late answer is wrong.
pub(crate) fn many(operations: usize) -> (History, Vec<FaultBand>) {
    let history = busy(operations, 12);
    let late = history.len() / 2;
    let mut changed = false;
    let history = history.map(|op| {
        let wrong = Outcome::Granted { token: u64::MAX / 2, ttl_ns: 2_000 };
        match &mut op.returned {
            Some((_, outcome @ Outcome::TimedOut)) if !changed && op.id.0 > late => {
                (*outcome, changed) = (wrong, true);
            }
            _ => {}
        }
    });
    assert!(changed, "no answer to make wrong");
    let end = history.operations().last().map_or(0, |op| op.invoked.at_ns);
    let faults = (0..5)
        .map(|number| FaultBand::new(end * number / 5, end * number / 5 + end / 40, "partition"))
        .collect();
    (history, faults)
}

/// The same text as client, key, lease, error and fault.
pub(crate) fn named(text: &str) -> (History, Vec<FaultBand>) {
    let mut builder = HistoryBuilder::new();
    for token in 1..=2 {
        let call = Call::TryAcquire(LeaseRequest::exclusive(format!("{text}{token}"), text, 1_000));
        let op = builder.invoke(token, format!("{text}{token}"), call).unwrap();
        builder.returned(token, op, Outcome::Granted { token, ttl_ns: 1_000 }).unwrap();
    }
    (builder.finish(), vec![FaultBand::new(0, 5, text).on(text)])
}
