//! What `docs/guarantees.md` cites is there.
#![expect(clippy::unwrap_used, reason = "helpers of tests too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Every guarantee, and the tests it cites.
type Cited = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_test_that_the_guarantees_cite_exists() {
    let known = known_tests();
    for (guarantee, names) in cited(&read("docs/guarantees.md")) {
        for name in names {
            assert!(known.contains(&name), "{guarantee} cites `{name}`, which is no test");
        }
    }
}

#[test]
fn every_guarantee_cites_a_test() {
    let cited = cited(&read("docs/guarantees.md"));
    let named: Vec<_> = cited.keys().map(String::as_str).collect();
    assert_eq!(named, ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9"]);
    for (guarantee, names) in cited {
        assert!(!names.is_empty(), "{guarantee} cites no test");
    }
}

#[test]
fn a_case_of_the_suite_is_cited_by_the_guarantee_in_its_name() {
    for (guarantee, names) in cited(&read("docs/guarantees.md")) {
        for name in names.iter().filter(|name| is_case(name)) {
            let own = format!("{}_", guarantee.to_lowercase());
            assert!(name.starts_with(&own), "{guarantee} cites `{name}`");
        }
    }
}

#[test]
fn names_are_read_from_lists_only_and_functions_from_their_definitions() {
    let text =
        "## G1 One\nprose `not_a_test`\n- `first`,\n  `second`\n## Not promised\n- `third`\n";
    let names = ["first", "second"].map(str::to_owned).into();
    assert_eq!(cited(text), BTreeMap::from([("G1".to_owned(), names)]));
    let source = "    async fn one() {}\n// fn two() {}\nfn three<T>(t: T) {}\nlet four = 4;\n";
    assert_eq!(functions(source).collect::<Vec<_>>(), ["one", "three"]);
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn is_case(name: &str) -> bool {
    name.starts_with('g') && name[1..].starts_with(|c: char| c.is_ascii_digit())
}

/// The words in backquotes in the lists, which may go over several lines, of each section that is a guarantee.
fn cited(text: &str) -> Cited {
    let mut cited = Cited::new();
    let mut section = None;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.split(' ').next().filter(|word| is_case(&word.to_lowercase()));
            cited.extend(section.map(|section| (section.to_owned(), BTreeSet::new())));
        } else if let Some(section) = section
            && (line.starts_with("- ") || line.starts_with("  "))
        {
            let names = line.split('`').skip(1).step_by(2).map(str::to_owned);
            cited.entry(section.to_owned()).or_default().extend(names);
        }
    }
    cited
}

/// The functions in test files, in test modules and in the suite's cases.
fn known_tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for package in ["lock-api", "lock-memory", "lock-redis", "lock-testkit"] {
        rust_files(&root().join(package), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        if source.contains("#[test]") || source.contains("::test") || is_suite(&file) {
            names.extend(functions(&source).map(str::to_owned));
        }
    }
    names
}

fn is_suite(file: &Path) -> bool {
    file.starts_with(root().join("lock-testkit/src/suite/cases"))
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The names of the functions that are defined in this source.
fn functions(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").or(line.strip_prefix("pub(super) ")).unwrap_or(line);
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        line.split(['(', '<']).next()
    })
}
