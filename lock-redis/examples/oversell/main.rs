//! A shop that sells more than it has, and the same shop under a lock, which does not.
//!
//! Fifty people want one of ten items at the same time. Selling one takes a look at the stock, some work, and a
//! write of what is left: three steps that another buyer's steps fall in between of. The same crowd comes
//! twice, first without a lock, then with one; the table says what each round did.
//!
//! ```text
//! cargo run --example oversell
//! cargo run --example oversell -- --redis redis://127.0.0.1:6379
//! ```

mod args;
mod crowd;
mod in_memory;
mod report;
mod shop;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use args::Args;
use report::{Report, Round};

/// The name of the item, and of the lock that guards its stock.
const ITEM: &str = "shop:red-umbrella";

/// What keeps the example from being run at all.
type Problem = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let args = Args::read();
    match run(&args) {
        Ok(report) => {
            let printed = write!(io::stdout(), "{report}");
            let right = printed.is_ok() && report.is_right();
            if right { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(problem) => {
            let _stderr_may_be_closed = writeln!(io::stderr(), "oversell: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<Report, Problem> {
    let round = |locked| -> Result<Round, Problem> { in_memory::round(args, locked) };
    Ok(Report {
        items: args.items,
        buyers: args.buyers,
        place: in_memory::PLACE.to_owned(),
        without: round(false)?,
        with: round(true)?,
    })
}
