//! The `simulate` command.

use std::{
    env,
    ffi::OsStr,
    fs,
    process::{Command, Output},
};

use super::simulate;

const CHILD: &str = "LEASEHOLD_SIMULATE";

/// Not a test of its own: what [`command`] runs in a process of its own.
#[test]
fn the_command() {
    if let Ok(arguments) = env::var(CHILD) {
        let arguments = arguments.split_whitespace().map(str::to_owned);
        std::process::exit(simulate::run(arguments).into());
    }
}

/// Runs the command in another process.
fn command(arguments: &str) -> Output {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["command::the_command", "--exact", "--nocapture"]);
    child.env(CHILD, format!("simulate {arguments}")).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn words(path: &impl AsRef<OsStr>) -> String {
    path.as_ref().to_str().unwrap().to_owned()
}

#[test]
fn a_broken_variant_ends_with_1_and_a_report() {
    let output = command("--service inventory --variant broken --seed 1");
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("oversold: 3 of 2") && said.contains("plan: pause holder"), "{said}");
    assert!(said.contains("--service inventory --variant broken --seed "), "{said}");
}

#[test]
fn a_right_variant_ends_with_0() {
    let output = command("--service payment --variant right --seed 1 --plans 100");
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).contains("passed 100 plans"));
}

#[test]
fn wrong_usage_ends_with_2() {
    for wrong in [
        "",
        "--service inventory --variant broken",
        "--service shop --variant broken --seed 1",
        "--service store --variant broken --seed -1",
        "--service store --variant right --seed 1 --plans 1 --trace /nowhere/at/all",
    ] {
        let output = command(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", said(&output));
        assert!(!output.stderr.is_empty(), "{wrong}");
    }
}

#[test]
fn two_processes_write_the_same_trace_and_the_same_page() {
    let directory = tempfile::tempdir().unwrap();
    for variant in ["broken", "right"] {
        let files = [1, 2].map(|run| {
            let path = |kind: &str| directory.path().join(format!("{variant}{run}.{kind}"));
            let files =
                format!("--trace {} --html {}", words(&path("trace")), words(&path("html")));
            command(&format!("--service store --variant {variant} --seed 3 --plans 1000 {files}"));
            (fs::read(path("trace")).unwrap(), fs::read(path("html")).ok())
        });
        assert!(!files[0].0.is_empty());
        assert!(files[0] == files[1], "{variant}");
        assert_eq!(files[0].1.is_none(), variant == "right");
    }
}
