//! Runs generated programs of lock operations, checks what was recorded, and shrinks what fails.
//!
//! ```text
//! cargo run -p leasehold-testkit --example torture                    # in memory, 10 s
//! cargo run -p leasehold-testkit --example torture -- --redis redis://127.0.0.1:6379 --seconds 60
//! cargo run --release -p leasehold-testkit --example torture -- --programs 1000000 --seconds 3600    # a million
//! cargo run -p leasehold-testkit --example torture -- --replay 'try a x 20ms; +20ms extend 1 20ms'
//! ```
//!
//! What fails is made as small as it can be and told with the command that replays it. On a server a program may fail
//! once and pass the next time: there it is shrunk for at most 20 s, and counts as failing if one of 12 runs fails;
//! `--replay` runs it as often.
//!
//! The last line is `torture: programs=… ops=… violations=…`. The exit status is 0 if nothing was found, 1 for
//! violations, 2 for wrong usage or a server that can't be reached, and 4 for a run that shows nothing because nobody
//! was ever refused or nothing ever expired.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

mod memory;
mod redis;
mod tally;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use leasehold::Runtime;
use leasehold_testkit::generate::{Profile, Program, generate};

/// Runs generated programs of lock operations on a backend and checks what was recorded.
#[derive(Debug, Parser)]
struct Arguments {
    /// A server to run on, in real time; without it the memory backend runs on a virtual clock.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// How long to run.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Decides the programs; the same seed gives the same programs.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Ends after so many programs, if that is sooner.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    programs: u64,
    /// Runs one program: its text, or the profile and seed that made it, as in `grid:17`.
    #[arg(long, value_name = "PROGRAM")]
    replay: Option<String>,
}

/// How long, from where, and how much.
#[derive(Clone, Copy, Debug)]
struct Plan {
    seconds: u64,
    seed: u64,
    programs: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let replay = match arguments.replay.as_deref().map(program).transpose() {
        Ok(replay) => replay,
        Err(message) => return unusable(&message),
    };
    let Arguments { seconds, seed, programs, .. } = arguments;
    let plan = Plan { seconds, seed, programs };
    let ran = match (&arguments.redis, &replay) {
        (None, None) => Ok(memory::run(plan)),
        (None, Some(program)) => Ok(memory::replay(program)),
        (Some(url), replay) => redis::run(url, plan, replay.as_ref()),
    };
    match ran {
        Ok(tally) => tally.conclude(replay.is_some()),
        Err(error) => unusable(&error.to_string()),
    }
}

fn unusable(message: &str) -> ExitCode {
    eprintln!("torture: {message}");
    ExitCode::from(2)
}

/// The program that a text or a seed stands for.
fn program(text: &str) -> Result<Program, String> {
    let Some((profile, seed)) = text.split_once(':') else {
        return text
            .parse()
            .map_err(|error: leasehold_testkit::generate::ParseProgramError| error.to_string());
    };
    let profile: Profile = profile.parse().map_err(|error: leasehold::Error| error.to_string())?;
    let seed = seed.parse().map_err(|_| format!("`{seed}` is no seed"))?;
    Ok(generate(profile, seed))
}

/// A bar of seconds; nothing where nobody looks.
fn bar(plan: Plan) -> ProgressBar {
    let bar = ProgressBar::new(plan.seconds);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} s  {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What is left of the time.
#[derive(Debug)]
struct Watch {
    runtime: Runtime,
    start: leasehold::Timestamp,
    length: Duration,
}

impl Watch {
    fn new(seconds: u64) -> Self {
        let runtime = Runtime::tokio();
        let start = runtime.now();
        Self { runtime, start, length: Duration::from_secs(seconds) }
    }

    fn spent(&self) -> Duration {
        self.runtime.now().since(self.start)
    }

    fn is_over(&self) -> bool {
        self.spent() >= self.length
    }
}
