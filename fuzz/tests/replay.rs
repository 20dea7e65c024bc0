//! Every fuzz target on stable: its corpus, and a fixed number of mutations of it that a seed decides.

use std::{fs, panic, path::Path};

use leasehold::runtime::{Entropy, SeededEntropy};
use leasehold_fuzz::{Body, TARGETS};

const MUTATIONS: usize = 20_000;
const SEED: u64 = 0x1ea5e;

#[test]
fn every_corpus_file_passes() {
    for (name, body) in TARGETS {
        for (file, data) in corpus(name) {
            run(name, body, &file, &data);
        }
    }
}

#[test]
fn mutations_of_the_corpus_pass() {
    for (name, body) in TARGETS {
        let corpus = corpus(name);
        let mutator = Mutator(SeededEntropy::new(SEED));
        for number in 0..MUTATIONS {
            let (file, data) = &corpus[number % corpus.len()];
            let (_, other) = &corpus[mutator.below(corpus.len())];
            let mutated = mutator.mutate(data, other);
            run(name, body, &format!("mutation {number} of {file}"), &mutated);
        }
    }
}

/// A target that was given the wrong corpus, or none, would pass without having tried anything.
#[test]
fn every_target_has_an_entry_and_a_corpus() {
    for (name, _) in TARGETS {
        let entry = root().join(format!("fuzz_targets/{name}.rs"));
        assert!(entry.is_file(), "{} is missing", entry.display());
        assert!(!corpus(name).is_empty(), "{name} has no corpus");
    }
    let entries = fs::read_dir(root().join("fuzz_targets")).unwrap().count();
    assert_eq!(entries, TARGETS.len(), "an entry in fuzz_targets/ is not replayed");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let directory = root().join("corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// Runs the body; a failure says which input it was, in a form to be put into the corpus.
fn run(target: &str, body: Body, input: &str, data: &[u8]) {
    if let Err(failure) = panic::catch_unwind(|| body(data)) {
        eprintln!("{target}: {input} failed: b\"{}\"", data.escape_ascii());
        panic::resume_unwind(failure);
    }
}

struct Mutator(SeededEntropy);

impl Mutator {
    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::from_le_bytes(bytes) % bound.max(1)
    }

    fn byte(&self) -> u8 {
        let mut byte = [0];
        self.0.fill(&mut byte);
        byte[0]
    }

    /// A few changes of the kinds that find bugs: bits, bytes, pieces left out, doubled or taken from another input.
    fn mutate(&self, data: &[u8], other: &[u8]) -> Vec<u8> {
        let mut data = data.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(data.len() + 1);
            let end = at + self.below((data.len() - at + 1).min(40));
            match self.below(6) {
                0 if at < data.len() => data[at] ^= 1 << self.below(8),
                1 if at < data.len() => data[at] = self.byte(),
                2 => data.insert(at, self.byte()),
                3 => drop(data.drain(at..end)),
                4 => {
                    let piece = data[at..end].to_vec();
                    data.splice(at..at, piece);
                }
                _ => {
                    let from = self.below(other.len() + 1);
                    let to = from + self.below(other.len() - from + 1);
                    data.splice(at..end, other[from..to].iter().copied());
                }
            }
        }
        data.truncate(4096);
        data
    }
}
