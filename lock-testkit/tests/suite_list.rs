//! The list of cases is whole: no case is written and not run.

use std::{collections::BTreeSet, fs, path::Path};

use leasehold_testkit::suite::Case;

const PREFIX: &str = "pub(crate) async fn g";

/// The names of the case functions in this source text.
fn cases_in(source: &str) -> Vec<String> {
    let names = source.lines().filter_map(|line| line.strip_prefix(PREFIX));
    let names = names.filter_map(|rest| rest.split('(').next());
    names.map(|name| format!("g{name}")).collect()
}

#[test]
fn every_case_that_is_written_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/suite/cases");
    let mut written = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        written.extend(cases_in(&fs::read_to_string(file.unwrap().path()).unwrap()));
    }
    written.sort_unstable();
    let mut listed: Vec<_> = Case::all().iter().map(|case| case.name().to_owned()).collect();
    listed.sort_unstable();
    assert_eq!(written, listed);
    assert!(listed.len() > 140, "{}", listed.len());
}

#[test]
fn a_case_is_found_in_source_text() {
    let source = "async fn helper() {}\npub(crate) async fn g1_so_it_is(trial: &Trial) {\n}\n";
    assert_eq!(cases_in(source), ["g1_so_it_is"]);
}

#[test]
fn names_are_unique_and_begin_with_a_guarantee_that_a_backend_can_show() {
    let names: BTreeSet<_> = Case::all().iter().map(|case| case.name()).collect();
    assert_eq!(names.len(), Case::all().len());
    let guarantees: BTreeSet<_> = Case::all().iter().map(Case::guarantee).collect();
    let all = ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"];
    assert_eq!(guarantees, all.map(str::to_owned).into());
}
