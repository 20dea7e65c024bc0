//! Every broken backend is caught, by the check that the catalogue names; the correct ones are not.

use std::collections::BTreeSet;

use leasehold_memory::MemoryBackend;
use leasehold_testkit::broken::{BrokenBackend, Bug, FoundBy, Scenario, put_to_the_test};

#[test]
fn every_bug_is_caught_by_the_check_that_is_named() {
    let mut wrong = Vec::new();
    for bug in Bug::ALL {
        let trial = put_to_the_test(*bug, 5_000, 3);
        let caught = trial.caught_by.as_deref().unwrap_or("nothing");
        let expected = match bug.found_by() {
            FoundBy::Programs => ["lock checker", "invariant G7"].contains(&caught),
            FoundBy::Scenario(name) => caught == format!("scenario {name}"),
        };
        if !expected {
            wrong.push(trial.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn correct_backends_pass_every_scenario() {
    for scenario in Scenario::all() {
        assert_eq!(scenario.play(MemoryBackend::with_runtime), Ok(()), "{scenario:?}");
        assert_eq!(scenario.play(BrokenBackend::correct), Ok(()), "{scenario:?}");
    }
}

#[test]
fn every_scenario_that_a_bug_names_is_there() {
    for bug in Bug::ALL {
        if let FoundBy::Scenario(name) = bug.found_by() {
            assert!(Scenario::named(name).is_some(), "{name}");
        }
    }
}

#[test]
fn the_catalogue_has_forty_bugs_each_with_a_name_of_its_own_and_a_guarantee() {
    let names: BTreeSet<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
    assert_eq!(names.len(), Bug::ALL.len());
    assert!(names.len() >= 40);
    for bug in Bug::ALL {
        let guarantees = ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"];
        assert!(guarantees.contains(&bug.guarantee()), "{bug:?}");
    }
}

#[test]
fn every_guarantee_of_a_backend_is_broken_by_some_bug() {
    let broken: BTreeSet<_> = Bug::ALL.iter().map(|bug| bug.guarantee()).collect();
    assert_eq!(broken.len(), 8, "{broken:?}");
}
