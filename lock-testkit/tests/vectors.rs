//! The outcome vectors: the memory backend keeps to each, and a wrong answer is seen.

#![expect(clippy::unwrap_used, reason = "an unreadable vector fails the test")]

mod flawed {
    #![expect(dead_code, reason = "this test takes one flaw of many")]
    pub(crate) mod map;
}

use std::{collections::BTreeSet, path::PathBuf};

use flawed::map::{Flaw, FlawedMap};
use leasehold::{LockBackend, Runtime, VirtualClock};
use leasehold_memory::MemoryBackend;
use leasehold_testkit::{
    check::lock::{Options, Verdict, check},
    record::Recorder,
    vectors::{BackendMachine, Vector, VectorError, run},
};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec"))
}

/// Every mismatch, and how many vectors were for this backend.
async fn run_all<B: LockBackend>(make: impl Fn() -> (B, VirtualClock)) -> (Vec<String>, usize) {
    let (mut mismatches, mut ran) = (Vec::new(), 0);
    for vector in Vector::read_all(folder()).unwrap() {
        let (backend, clock) = make();
        match run(&vector, &mut BackendMachine::new(backend, clock)).await {
            Ok(was_for_it) => ran += usize::from(was_for_it),
            Err(mismatch) => mismatches.push(mismatch.to_string()),
        }
    }
    (mismatches, ran)
}

fn map(flaw: Option<Flaw>) -> (FlawedMap, VirtualClock) {
    let (runtime, clock) = Runtime::manual(7);
    (FlawedMap::new(runtime, flaw), clock)
}

#[tokio::test]
async fn the_memory_backend_keeps_to_every_vector() {
    let (mismatches, ran) = run_all(|| MemoryBackend::manual(7)).await;
    assert_eq!(mismatches, [""; 0]);
    assert_eq!(ran, Vector::read_all(folder()).unwrap().len());
}

#[tokio::test]
async fn a_backend_that_can_less_keeps_to_those_that_are_for_it() {
    let (mismatches, ran) = run_all(|| map(None)).await;
    assert_eq!(mismatches, [""; 0]);
    assert!(ran > 30, "only {ran} vectors ran");
}

#[tokio::test]
async fn a_wrong_answer_is_seen_with_its_step() {
    for (flaw, says) in [
        (Flaw::LiveAtItsEnd, "exclusive: at its end a lease is dead: step 2: "),
        (Flaw::ReleaseWithoutIdCheck, "release: a foreign id releases nothing: step 2: "),
        (Flaw::ExtendShortens, "extend: extending never shortens: step 2: k: "),
        (
            Flaw::ExtendResurrects,
            "extend: at its end a lease is lost, though nobody took the key: step 2: ",
        ),
        (Flaw::TokenReusedAfterRelease, "tokens: tokens grow over release: step 3: "),
        (
            Flaw::RepeatGetsANewToken,
            "idempotent: a repeated acquire gets the same token and a fresh end: step 2: ",
        ),
        (
            Flaw::NoTombstone,
            "tombstones: a late duplicate of a released acquire grants nobody: step 3: ",
        ),
    ] {
        let (mismatches, _) = run_all(|| map(Some(flaw))).await;
        assert!(mismatches.iter().any(|text| text.starts_with(says)), "{flaw:?}: {mismatches:?}");
    }
}

/// What happens in each vector, as a history that the model judges by itself.
async fn judge_all<B: LockBackend>(make: impl Fn() -> (B, VirtualClock)) -> Vec<String> {
    let mut refused = Vec::new();
    for vector in Vector::read_all(folder()).unwrap() {
        let (backend, clock) = make();
        let recorder = Recorder::in_process(backend);
        let _kept_to = run(&vector, &mut BackendMachine::new(recorder.clone(), clock)).await;
        if check(&recorder.history(), &Options::default()).verdict != Verdict::Ok {
            refused.push(format!("{}: {}", vector.topic(), vector.name()));
        }
    }
    refused
}

#[tokio::test]
async fn the_model_allows_what_the_vectors_say() {
    assert_eq!(judge_all(|| MemoryBackend::manual(7)).await, [""; 0]);
}

#[tokio::test]
async fn the_model_refuses_what_the_vectors_refuse() {
    for flaw in [Flaw::LiveAtItsEnd, Flaw::ReleaseWithoutIdCheck, Flaw::TokenReusedAfterRelease] {
        assert_ne!(judge_all(|| map(Some(flaw))).await, [""; 0], "{flaw:?}");
    }
}

#[test]
fn every_topic_of_the_specification_is_there() {
    let vectors = Vector::read_all(folder()).unwrap();
    let topics: BTreeSet<_> = vectors.iter().map(Vector::topic).collect();
    let all = [
        "downgrade",
        "exclusive",
        "extend",
        "idempotent",
        "min_hold",
        "permits",
        "queue",
        "release",
        "revoke",
        "several_keys",
        "shared",
        "tokens",
        "tombstones",
    ];
    assert_eq!(topics, all.into());
    let names: BTreeSet<_> = vectors.iter().map(|vector| (vector.topic(), vector.name())).collect();
    assert_eq!(names.len(), vectors.len(), "two vectors have one name");
    assert!(vectors.iter().map(Vector::steps).sum::<usize>() > 300);
}

#[test]
fn a_file_that_strays_from_the_format_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Vector::read(&path).unwrap_err()
    };
    let with = |version: u32, step: &str| {
        let vectors = format!(r#"[{{"name": "v", "steps": [{step}]}}]"#);
        format!(r#"{{"version": {version}, "topic": "t", "vectors": {vectors}}}"#)
    };
    let step = r#"{"at": 0, "do": {"release": {"id": "a"}}, "expect": "not_held"}"#;
    assert!(matches!(read(&with(2, step)), VectorError::Version { found: 2, .. }));
    let odd = step.replace(r#""id""#, r#""name": "b", "id""#);
    assert!(
        matches!(read(&with(1, &odd)), VectorError::Format { source, .. } if source.line() == 1)
    );
    let bad = r#"{"at": 0, "do": {"try_acquire": {"id": "a", "ttl": 0}}, "expect": "queued"}"#;
    assert!(matches!(read(&with(1, bad)), VectorError::Value { .. }));
    assert!(Vector::read(folder.path().join("none.json")).is_err());
    std::fs::write(&path, with(1, step)).unwrap();
    assert_eq!(Vector::read(&path).unwrap()[0].steps(), 1);
}
