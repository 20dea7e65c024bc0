//! Reports on small violations.

use super::*;
use crate::check::differential::random_history;
use crate::check::lock::check;
use crate::history::{Call, HeldReason, HistoryBuilder, LeaseRequest, OpId, Outcome};

fn overlapping() -> History {
    let mut builder = HistoryBuilder::new();
    let mut say = |at, client: &str, call, outcome| {
        let op = builder.invoke(at, client, call).unwrap();
        builder.returned(at + 1, op, outcome).unwrap();
    };
    let acquire = |lease: &str| Call::TryAcquire(LeaseRequest::exclusive(lease, "orders/42", 100));
    let granted = |token| Outcome::Granted { token, ttl_ns: 100 };
    let held = || Outcome::Held { reason: HeldReason::Lease };
    say(0, "c1", acquire("c1.1"), granted(1));
    say(10, "c2", acquire("c2.1"), held());
    say(200, "c2", acquire("c2.2"), granted(2));
    say(210, "c3", acquire("c3.1"), held());
    say(250, "c1", acquire("c1.2"), granted(3));
    say(300, "c3", acquire("c3.2"), held());
    builder.finish()
}

fn report(history: &History) -> Report {
    let options = Options::default();
    let replay = Replay { seed: Some("7".to_owned()), command: Some("run --seed 7".to_owned()) };
    Report::new(history, &options, &check(history, &options), replay)
}

#[test]
fn the_core_of_a_double_grant_is_two_operations() {
    let report = report(&overlapping());
    let core = report.core.as_ref().map(|core| core.operations.clone());
    assert_eq!(core, Some(vec![OpId(2), OpId(4)]));
    let text = report.to_string();
    let expected = "G1 mutual exclusion: c2.2 (token 2) and c1.2 (token 3) certainly held \"orders/42\" together in [251 ns, 300 ns)";
    assert!(text.contains(expected), "{text}");
    assert!(text.starts_with("violation ops=6 keys=1\n"), "{text}");
    assert!(text.contains("again: run --seed 7"), "{text}");
    assert!(
        text.contains(
            "c2.2 (token 2) holds \"orders/42\" until 300..301 ns: the key is held by c2.2"
        ),
        "{text}"
    );
}

#[test]
fn the_sentence_is_about_the_core_if_an_invariant_is_broken_there() {
    let mut seen = 0;
    for seed in 0..4_000 {
        let case = random_history(seed, 14);
        let checked = check(&case.history, &case.options);
        let report = Report::new(&case.history, &case.options, &checked, Replay::default());
        let (Some(core), Some(sentence)) = (&report.core, &report.sentence) else {
            continue;
        };
        let of_core: Vec<String> = broken(&core.history, &case.options, Bounds::default())
            .into_iter()
            .map(|broken| format!("{:?} {}", broken.guarantee, broken.sentence))
            .collect();
        let whole = broken(&case.history, &case.options, Bounds::default());
        let inside =
            |found: &&Broken| found.operations.iter().all(|op| core.operations.contains(op));
        if whole.iter().any(|found| inside(&found)) || of_core.is_empty() {
            continue;
        }
        seen += 1;
        assert_eq!(Some(sentence), of_core.first(), "seed {seed}");
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn a_run_without_refusals_or_expiry_is_vacuous() {
    let mut builder = HistoryBuilder::new();
    let call = Call::TryAcquire(LeaseRequest::exclusive("c1.1", "k", 100));
    let op = builder.invoke(0, "c1", call).unwrap();
    builder.returned(0, op, Outcome::Granted { token: 1, ttl_ns: 100 }).unwrap();
    let report = report(&builder.finish());
    assert_eq!(report.evidence.gaps().len(), 2);
    assert!(report.to_string().contains("VACUOUS: nobody was ever refused"));
    assert!(!Evidence::of(&overlapping()).is_vacuous());
}

#[test]
fn a_core_is_small_and_wrong_by_itself() {
    let mut sizes = Vec::new();
    for seed in 0..4_000 {
        let case = random_history(seed, 9);
        let checked = check(&case.history, &case.options);
        let Verdict::Violation(impasse) = &checked.verdict else {
            continue;
        };
        let core = core(&case.history, &case.options, impasse);
        assert!(check(&core.history, &case.options).verdict.is_violation(), "seed {seed}");
        sizes.push(core.operations.len());
        let report = Report::new(&case.history, &case.options, &checked, Replay::default());
        assert!(report.to_string().contains("others do not matter"), "seed {seed}");
    }
    sizes.sort_unstable();
    assert!(sizes.len() > 500 && sizes[sizes.len() / 2] <= 3, "{}", sizes[sizes.len() / 2]);
}
