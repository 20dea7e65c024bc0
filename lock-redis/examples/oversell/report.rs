//! What both rounds did, side by side.

use std::{fmt, time::Duration};

use crate::crowd::Tally;

/// What one crowd did to the shop.
#[derive(Debug)]
pub(crate) struct Round {
    /// What became of the buyers.
    pub(crate) tally: Tally,
    /// How many items the stock says are left.
    pub(crate) left: u32,
    /// From the first buyer to the last.
    pub(crate) took: Duration,
}

impl Round {
    /// How many orders there are for items that do not exist.
    fn oversold(&self, items: u32) -> u32 {
        self.tally.accepted.saturating_sub(items)
    }
}

/// Both rounds.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) items: u32,
    pub(crate) buyers: u32,
    pub(crate) place: String,
    pub(crate) without: Round,
    pub(crate) with: Round,
}

impl Report {
    /// Whether it oversold without the lock, and with it sold exactly what there was and told everyone else.
    pub(crate) fn is_right(&self) -> bool {
        let Tally { accepted, sold_out, .. } = self.with.tally;
        self.without.oversold(self.items) > 0
            && accepted == self.items
            && sold_out == self.buyers - self.items
    }

    fn row(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        of: impl Fn(&Round) -> String,
    ) -> fmt::Result {
        writeln!(f, "{name:<16}{:>14}{:>12}", of(&self.without), of(&self.with))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} items, {} buyers; {}\n", self.items, self.buyers, self.place)?;
        writeln!(f, "{:<16}{:>14}{:>12}", "", "without lock", "with lock")?;
        self.row(f, "orders accepted", |round| round.tally.accepted.to_string())?;
        self.row(f, "told sold out", |round| round.tally.sold_out.to_string())?;
        if self.without.tally.failed + self.with.tally.failed > 0 {
            self.row(f, "not served", |round| round.tally.failed.to_string())?;
        }
        self.row(f, "left in stock", |round| round.left.to_string())?;
        self.row(f, "oversold", |round| round.oversold(self.items).to_string())?;
        self.row(f, "time", |round| format!("{} ms", round.took.as_millis()))?;
        for (name, round) in [("without", &self.without), ("with", &self.with)] {
            if let Some(reason) = &round.tally.reason {
                writeln!(f, "\nnot served {name} lock: {reason}")?;
            }
        }
        let [without, with] = [&self.without, &self.with].map(|round| round.oversold(self.items));
        writeln!(f, "\noversold without lock: {without}, with lock: {with}")
    }
}
