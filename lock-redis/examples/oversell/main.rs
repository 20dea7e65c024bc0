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
mod in_redis;
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

/// How many serve the buyers: tasks of one process, or processes.
const WORKERS: u32 = 4;

/// What keeps the example from being run at all.
type Problem = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let args = Args::read();
    let outcome = if args.worker { in_redis::work().map(|()| true) } else { present(&args) };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            let _stderr_may_be_closed = writeln!(io::stderr(), "oversell: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Plays both rounds and prints what they did; whether the lock made the difference.
fn present(args: &Args) -> Result<bool, Problem> {
    let report = match &args.redis {
        None => play(args, in_memory::PLACE.to_owned(), |locked| in_memory::round(args, locked))?,
        Some(url) => {
            let market = in_redis::Market::open(url)?;
            play(args, market.place(), |locked| market.round(args, locked))?
        }
    };
    write!(io::stdout(), "{report}")?;
    Ok(report.is_right())
}

fn play(
    args: &Args,
    place: String,
    mut round: impl FnMut(bool) -> Result<Round, Problem>,
) -> Result<Report, Problem> {
    Ok(Report {
        items: args.items,
        buyers: args.buyers,
        place,
        without: round(false)?,
        with: round(true)?,
    })
}

/// Splits the buyers among the workers, as evenly as it goes.
fn shares(buyers: u32) -> impl Iterator<Item = u32> {
    (0..WORKERS).map(move |worker| buyers / WORKERS + u32::from(worker < buyers % WORKERS))
}
