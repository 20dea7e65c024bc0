//! The command line.

use clap::{CommandFactory, Parser, error::ErrorKind, value_parser};

/// Sells a few items to a crowd, first without a lock and then with one, and shows what each did.
#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo run --example oversell --",
    after_help = "Exit status: 0 if it oversold without the lock and not with it, 1 if not, 2 if it could not be run."
)]
pub(crate) struct Args {
    /// Sell from this Redis or Valkey, with several processes: redis://[user:password@]host:port[/db]
    #[arg(long, value_name = "URL")]
    pub(crate) redis: Option<String>,

    /// How many people buy at the same time
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(2..=1_000))]
    pub(crate) buyers: u32,

    /// How many items there are; fewer than buyers
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    pub(crate) items: u32,

    /// Serves a share of the buyers; what it needs to know comes on its standard input
    #[arg(long, hide = true)]
    pub(crate) worker: bool,
}

impl Args {
    /// Reads the command line; on wrong usage it says what is wrong and exits with 2.
    pub(crate) fn read() -> Self {
        let args = Self::parse();
        if args.items >= args.buyers {
            let message = "there must be more buyers than items, or nothing can be oversold";
            Self::command().error(ErrorKind::ValueValidation, message).exit();
        }
        args
    }
}
