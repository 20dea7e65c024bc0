//! Brute force, the lock checker and the general checker against each other.
//!
//! `cargo run --release -p leasehold-testkit --example differential -- --histories N [--seed S] [--general N]`
//! gives every `N`th history to the general checker too, which is the slowest (each, unless said),
//! ends with `differential: histories=N mismatches=0` and exit status 0; each mismatch is printed as a
//! history, and the status is 1.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;

use leasehold_testkit::check::differential::{compare, random_history};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: u64| {
        let place = arguments.iter().position(|argument| argument == name);
        place
            .and_then(|place| arguments.get(place + 1))
            .map_or(Some(default), |text| text.parse().ok())
    };
    let (Some(histories), Some(seed), Some(most), Some(every)) = (
        value("--histories", 100_000),
        value("--seed", 1),
        value("--operations", 7),
        value("--general", 1),
    ) else {
        eprintln!("usage: differential [--histories N] [--seed S] [--operations N] [--general N]");
        return ExitCode::from(2);
    };
    let most = usize::try_from(most).unwrap_or(7);
    let (mut mismatches, mut allowed, mut refused) = (0_u64, 0_u64, 0_u64);
    let (mut given_up, mut general) = (0_u64, 0_u64);
    for number in seed..seed.saturating_add(histories) {
        let case = random_history(number, most);
        let compared = compare(&case, number.is_multiple_of(every));
        general += u64::from(compared.linear.is_some());
        match compared.brute {
            Some(true) => allowed += 1,
            Some(false) => refused += 1,
            None => given_up += 1,
        }
        if compared.disagree() || histories == 1 {
            mismatches += u64::from(compared.disagree());
            println!("seed {number}: {compared:?} under {:?}", case.options);
            if case.history.write_to(std::io::stdout()).is_err() {
                return ExitCode::from(2);
            }
        }
    }
    println!("allowed {allowed}, refused {refused}, brute force gave up on {given_up}");
    println!("the general checker decided {general}");
    println!("differential: histories={histories} mismatches={mismatches}");
    ExitCode::from(u8::from(mismatches > 0))
}
