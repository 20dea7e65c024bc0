//! Checks recorded histories: `check_history FILE… [--slack-us N] [--limit N] [--html FILE]`.
//!
//! Prints first `ok|violation|unknown ops=N keys=K`, then the report; `--html` also writes it as a page to look at
//! in a browser, whatever the verdict. Several files are merged as those of
//! several processes of one machine. Exit status: 0 ok, 1 violation, 3 unknown (the limit of configurations
//! was reached), 2 unreadable input or arguments, or a page that could not be written.

#![expect(clippy::print_stderr, reason = "a command")]

use std::fs::File;
use std::io::{BufReader, Write};
use std::process::ExitCode;

use leasehold_testkit::check::Limits;
use leasehold_testkit::check::lock::{Options, Verdict, check};
use leasehold_testkit::history::{History, HistoryError};
use leasehold_testkit::model::lock::{Policy, Slack};
use leasehold_testkit::report::{Replay, Report, html};

struct Arguments {
    files: Vec<String>,
    options: Options,
    html: Option<String>,
}

fn arguments() -> Result<Arguments, String> {
    let mut files = Vec::new();
    let mut slack = Slack::EXACT;
    let mut limits = Limits::default();
    let mut html = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = |what| arguments.next().ok_or_else(|| format!("{argument} needs a {what}"));
        let mut number = || {
            let text = value("number")?;
            text.parse::<u64>().map_err(|error| format!("{argument} {text}: {error}"))
        };
        match argument.as_str() {
            "--slack-us" => slack = Slack::late_by_micros(number()?),
            "--limit" => limits.explored = number()?,
            "--html" => html = Some(value("file")?),
            option if option.starts_with("--") => return Err(format!("unknown option {option}")),
            _ => files.push(argument),
        }
    }
    if files.is_empty() {
        return Err("no file given".to_owned());
    }
    Ok(Arguments { files, options: Options { slack, policy: Policy::STRICT, limits }, html })
}

fn read(files: &[String]) -> Result<History, String> {
    let mut parts = Vec::new();
    for file in files {
        let told = |error: HistoryError| match error {
            HistoryError::Io(cause) => format!("{file}: {cause}"),
            error => format!("{file}: {error}"),
        };
        let input = File::open(file).map_err(|error| format!("{file}: {error}"))?;
        parts.push(History::read_from(BufReader::new(input)).map_err(told)?);
    }
    let history = match parts.len() {
        1 => parts.remove(0),
        _ => History::merge(&parts).map_err(|error| error.to_string())?,
    };
    Ok(history.with_seen_waiters())
}

fn main() -> ExitCode {
    let usage = "usage: check_history FILE… [--slack-us N] [--limit N] [--html FILE]";
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}\n{usage}");
            return ExitCode::from(2);
        }
    };
    let history = match read(&arguments.files) {
        Ok(history) => history,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let checked = check(&history, &arguments.options);
    let report = Report::new(&history, &arguments.options, &checked, Replay::default());
    if let Some(path) = &arguments.html
        && let Err(error) = std::fs::write(path, html(&history, &report, &[]))
    {
        eprintln!("{path}: {error}");
        return ExitCode::from(2);
    }
    // Whoever reads may have seen enough after the first line.
    write!(std::io::stdout(), "{report}").ok();
    match checked.verdict {
        Verdict::Ok => ExitCode::SUCCESS,
        Verdict::Violation(_) => ExitCode::from(1),
        Verdict::Unknown(_) => ExitCode::from(3),
    }
}
