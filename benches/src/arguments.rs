//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::effort::Effort;

/// Measures Leasehold as ratios in one run: against the bare commands, and against others.
#[derive(Parser)]
#[command(name = "leasehold-benches")]
pub(crate) struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::All)]
    pub(crate) what: What,
    /// Writes the rows to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draws the rows, as bars around their targets.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Puts the rows into this page, between its two marks.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Writes performance.json, performance.svg and the figures of performance.md into `docs`.
    #[arg(long, conflicts_with_all = ["json", "svg", "markdown", "quick"])]
    pub(crate) docs: bool,
    /// Measures nothing, and takes the rows that `--json` once wrote to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "what")]
    pub(crate) from: Option<PathBuf>,
    /// With `keepalive`: how many leases, 100,000 unless set.
    #[arg(long, value_name = "N")]
    pub(crate) leases: Option<usize>,
    /// Exits with 1 if a row misses its target.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Small counts: shows that it runs, and the figures mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// With `instructions`: writes the counts down instead of comparing them.
    #[arg(long)]
    pub(crate) update: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Everything but `instructions`.
    All,
    /// Round trips, and acquire and release pairs on free keys.
    Acquire,
    /// One key, many waiters in several processes.
    Handoff,
    /// From a release to the next grant, and the connections of those who wait.
    Grants,
    /// A hundred thousand leases kept alive.
    Keepalive,
    /// The memory backend, and what a locker costs on top of it.
    Memory,
    /// The checkers of the testkit.
    Checkers,
    /// How late a loss is told.
    Loss,
    /// What dropped acquisitions leave behind.
    Orphans,
    /// Programs on virtual time, recorded and checked.
    Simulation,
    /// Instructions per operation under valgrind, against the figures that were written down.
    Instructions,
}

impl What {
    /// Whether these rows are wanted.
    pub(crate) fn has(self, rows: Self) -> bool {
        self == rows || self == Self::All
    }
}

impl Arguments {
    pub(crate) const fn effort(&self) -> Effort {
        if self.quick { Effort::Quick } else { Effort::Full }
    }

    /// The directory of the pages.
    fn docs() -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"))
    }

    /// With the files that `--docs` stands for.
    pub(crate) fn with_docs(mut self) -> Self {
        if self.docs {
            self.json = Some(Self::docs().join("performance.json"));
            self.svg = Some(Self::docs().join("performance.svg"));
            self.markdown = Some(Self::docs().join("performance.md"));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
