//! Every sample file has the verdict that its name or its note says.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use leasehold_testkit::check::lock::{Options, Verdict, check};
use leasehold_testkit::history::{Call, History, HistoryError};
use leasehold_testkit::model::lock::Slack;
use leasehold_testkit::report::{Replay, Report};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn read(name: &str) -> Result<History, HistoryError> {
    History::read_from(BufReader::new(File::open(folder().join(name))?))
}

fn verdict(history: &History, slack_us: u64) -> Verdict {
    let options = Options { slack: Slack::late_by_micros(slack_us), ..Options::default() };
    check(history, &options).verdict
}

#[test]
fn every_sample_has_its_verdict() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let others = ["unreadable.jsonl", "late-expiry.jsonl", "process-2.jsonl"];
        if others.contains(&name.as_str()) || name.starts_with("late-grant") {
            continue;
        }
        let history = read(&name).unwrap();
        let wrong = name.starts_with("violation");
        assert_eq!(verdict(&history, 0).is_violation(), wrong, "{name}");
        let mut text = Vec::new();
        history.write_to(&mut text).unwrap();
        assert_eq!(History::read_from(text.as_slice()).unwrap(), history, "{name}");
        seen += 1;
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn slack_decides_about_late_expiry() {
    let history = read("late-expiry.jsonl").unwrap();
    assert!(verdict(&history, 1_000).is_ok());
    assert!(verdict(&history, 500).is_violation());
}

/// Recorded on Redis: what a waiter was granted was over, or extended, before it heard of it.
#[test]
fn late_grants_are_allowed_on_a_server_and_nowhere_else() {
    for name in ["late-grant-ran-out", "late-grant-revoked", "late-grant-extended"] {
        let history = read(&format!("{name}.jsonl")).unwrap();
        assert!(verdict(&history, 201).is_ok(), "{name}");
        assert!(verdict(&history, 0).is_violation(), "{name}");
        let tried = history.map(|op| {
            if let Call::Acquire { request, .. } = &op.call {
                op.call = Call::TryAcquire(request.clone());
            }
        });
        assert!(verdict(&tried, 201).is_violation(), "{name}: only who waits hears late");
    }
}

#[test]
fn processes_are_merged_before_they_are_checked() {
    let parts = [read("process-1.jsonl").unwrap(), read("process-2.jsonl").unwrap()];
    let merged = History::merge(&parts).unwrap();
    assert_eq!(merged.len(), 4);
    assert!(verdict(&merged, 0).is_ok());
}

#[test]
fn unreadable_input_is_placed() {
    let error = read("unreadable.jsonl").unwrap_err().to_string();
    assert!(error.starts_with("line 3, column 31: unknown variant `given`"), "{error}");
}

#[test]
fn violations_are_told_in_the_vocabulary_of_locks() {
    let told = [
        ("violation-double-grant.jsonl", "G1 mutual exclusion: c1.1 (token 1) and c2.1 (token 2)"),
        ("violation-late-extend.jsonl", "G4 late extend: c1.1 on \"k\" had ended by 1000 ns"),
        (
            "violation-token.jsonl",
            "G2 a token that does not grow on \"k\": c1.1 got 5, then c2.1 got 1",
        ),
        ("violation-order.jsonl", "G6 barging: c2 was in the queue of \"k\" before c3 asked"),
    ];
    for (name, sentence) in told {
        let history = read(name).unwrap();
        let options = Options::default();
        let checked = check(&history, &options);
        let report = Report::new(&history, &options, &checked, Replay::default());
        let said = report.sentence.as_deref().unwrap_or_default();
        assert!(said.starts_with(sentence), "{name}: {said}");
        assert!(report.core.is_some_and(|core| core.operations.len() <= 3), "{name}");
    }
}
