//! Every backend of the workspace is enrolled in the conformance suite: an `impl LockBackend for` in `lock-*/src`
//! must be named in a test file that calls `conformance!`.

#![expect(clippy::unwrap_used, reason = "unreadable sources fail the test")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Backends that can't be enrolled, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    ("lock-testkit/src/mock/", "answers what a test tells it to"),
    ("lock-testkit/src/broken/", "breaks a promise, to be caught"),
    (
        "lock-testkit/src/sim/",
        "lives inside a running simulation, where every run judges its server",
    ),
];

/// Where the tests name a pointer by the fixture that wraps it.
const FIXTURES: &[(&str, &str)] = &[("Arc", "InArc"), ("Box", "InBox")];

/// What the sources implement, and which of it no test file enrols.
#[derive(Debug, Default, PartialEq, Eq)]
struct Matrix {
    /// Backend, and the file that has it.
    backends: BTreeMap<String, String>,
    missing: Vec<String>,
}

/// Looks at source files and test files, each given as (path, text).
fn matrix(sources: &[(String, String)], tests: &[(String, String)]) -> Matrix {
    let mut matrix = Matrix::default();
    for (path, text) in sources {
        if EXEMPT.iter().any(|(folder, _why)| path.starts_with(folder)) {
            continue;
        }
        for backend in backends_in(text) {
            matrix.backends.insert(backend, path.clone());
        }
    }
    let enrols = |text: &str| text.contains("conformance!(");
    for (backend, path) in &matrix.backends {
        let fixture = FIXTURES.iter().find(|(pointer, _)| pointer == backend);
        let name = fixture.map_or(backend.as_str(), |(_, fixture)| fixture);
        if !tests.iter().any(|(_, text)| enrols(text) && has_word(text, name)) {
            matrix.missing.push(format!("{backend} ({path})"));
        }
    }
    matrix
}

/// The types for which a source text implements `LockBackend`.
fn backends_in(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n");
    let mut backends = Vec::new();
    for implementation in code.split("LockBackend for ").skip(1) {
        let name = |character: &char| character.is_alphanumeric() || "_$:".contains(*character);
        let path: String = implementation.chars().take_while(name).collect();
        let backend = path.rsplit("::").next().unwrap_or_default();
        if backend.starts_with('$') {
            backends.extend(given_to_macros(&code));
        } else if !backend.is_empty() {
            backends.push(backend.to_owned());
        }
    }
    backends
}

/// What the macros of a source text are called with: `forward!(Arc);`.
fn given_to_macros(code: &str) -> Vec<String> {
    let names = code.split("macro_rules! ").skip(1);
    let names = names.filter_map(|rest| rest.split([' ', '{']).next());
    let calls = names.flat_map(|name| {
        let call = format!("\n{name}!(");
        let given = code.split(call.as_str()).skip(1).map(str::to_owned);
        given.collect::<Vec<_>>()
    });
    calls.filter_map(|rest| Some(rest.split([')', ',']).next()?.trim().to_owned())).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    text.split(|character| !part(character)).any(|found| found == word)
}

/// The Rust files below `lock-*/{folder}`, with their paths from the root of the workspace.
fn files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for package in fs::read_dir(&root).unwrap() {
        let package = package.unwrap();
        if package.file_name().to_string_lossy().starts_with("lock-") {
            walk(&package.path().join(folder), &mut found);
        }
    }
    let relative = |path: &Path| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    let read = |path: PathBuf| (relative(&path), fs::read_to_string(&path).unwrap());
    found.into_iter().map(read).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_backend_is_enrolled() {
    let matrix = matrix(&files("src"), &files("tests"));
    assert!(matrix.backends.contains_key("MemoryBackend"), "it finds nothing: {matrix:?}");
    assert!(matrix.backends.contains_key("Arc"), "it finds no forwarding: {matrix:?}");
    assert!(matrix.missing.is_empty(), "not enrolled in any tests/*.rs: {:?}", matrix.missing);
}

#[test]
fn a_backend_that_is_not_enrolled_is_missing() {
    let source = |text: &str| vec![("lock-x/src/lib.rs".to_owned(), text.to_owned())];
    let sources = source("#[async_trait]\nimpl<B: LockBackend> LockBackend for wrap::Slow<B> {\n");
    let is_missing = |tests: &str| !matrix(&sources, &source(tests)).missing.is_empty();
    assert!(is_missing(""));
    assert!(is_missing("fn start() -> Slow<Memory>"), "named, but not enrolled");
    assert!(is_missing("conformance!(Slower)"), "another one is enrolled");
    assert!(!is_missing("fn start() -> Slow<Memory>\nconformance!(Fixture)"));
}

#[test]
fn a_backend_in_a_comment_is_none_and_one_made_by_a_macro_is_one() {
    assert_eq!(backends_in("/// impl LockBackend for Dream {"), [""; 0]);
    let forwarded = "macro_rules! forward {\n impl LockBackend for $p<T> {\n}\n\nforward!(Arc);\n";
    assert_eq!(backends_in(forwarded), ["Arc"]);
}

#[test]
fn what_is_exempt_is_not_asked_for() {
    let mock = ("lock-testkit/src/mock/x.rs".to_owned(), "impl LockBackend for X {".to_owned());
    assert_eq!(matrix(&[mock], &[]), Matrix::default());
}
