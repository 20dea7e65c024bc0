//! A failure is small, and the same every time.

use leasehold_testkit::{
    harness::{Case, Failure, Harness, Subject},
    sim::Choices,
};

use super::simulate::{inventory::Inventory, payment::Paying, store::Deposits};

type FailureOf<S> = Failure<<S as Subject>::Op, <S as Subject>::Out>;

fn failure<S: Subject>(harness: &Harness<S>) -> FailureOf<S> {
    *harness.hunt(0, 5_000).failure.expect("broken")
}

/// Every case that is one fault or one operation smaller.
fn smaller<Op: Clone>(case: &Case<Op>) -> Vec<Case<Op>> {
    let mut all = Vec::new();
    for place in 0..case.plan.faults.len() {
        let mut less = case.clone();
        less.plan.faults.remove(place);
        all.push(less);
    }
    for client in 0..case.programs.len() {
        for place in 0..case.programs[client].len() {
            let mut less = case.clone();
            less.programs[client].remove(place);
            all.push(less);
        }
    }
    all
}

fn is_minimal<S: Subject>(subject: S) {
    let harness = Harness::new(subject);
    let failure = failure(&harness);
    let check = |case: &Case<S::Op>| {
        harness.run(case).run.finding().map(leasehold_testkit::sim::Finding::check)
    };
    let wrong = check(&failure.case);
    assert!(wrong.is_some(), "the smallest case fails again");
    assert_eq!(check(&failure.first), wrong, "so does the first");
    for less in smaller(&failure.case) {
        for choices in [Some(Choices::default()), failure.case.choices.clone(), None] {
            let less = Case { choices, ..less.clone() };
            assert_ne!(check(&less), wrong, "{less} is smaller than\n{failure}");
        }
    }
}

#[test]
fn nothing_can_be_left_out_of_the_smallest_case() {
    is_minimal(Inventory { fenced: false });
    is_minimal(Paying { idempotent: false });
    is_minimal(Deposits { fence_reads: false });
}

#[test]
fn one_seed_gives_one_result() {
    let texts = [(), ()].map(|()| {
        let failure = failure(&Harness::new(Inventory { fenced: false }));
        format!("{failure}{:?}{}", failure.ran.calls, failure.html())
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn the_seed_of_a_report_leads_to_the_same_report_at_once() {
    let harness = Harness::new(Deposits { fence_reads: false });
    let found = failure(&harness);
    let again = harness.hunt(found.first.seed, 1).failure.expect("the same plan");
    assert_eq!(again.to_string(), found.to_string());
}

#[test]
fn a_report_says_what_broke_under_which_plan_and_how_to_have_it_again() {
    let harness = Harness::new(Inventory { fenced: false }).command("simulate --seed {seed}");
    let failure = failure(&harness);
    let report = failure.to_string();
    let seed = failure.first.seed;
    let parts = [
        "oversold: 3 of 2".to_owned(),
        format!("plan: {}", failure.case.plan),
        "client 1 asks: Sell".to_owned(),
        "has the answer Sold to Sell".to_owned(),
        format!("fault: {}", failure.case.plan),
        format!("seed: {seed}"),
        format!("again: simulate --seed {seed}"),
    ];
    for part in parts {
        assert!(report.contains(&part), "{part:?} is missing from\n{report}");
    }
    let page = failure.html();
    for part in ["oversold: 3 of 2", "simulate --seed", "\"faults\":[{", "violation"] {
        assert!(page.contains(part), "{part:?} is missing from the page");
    }
}
