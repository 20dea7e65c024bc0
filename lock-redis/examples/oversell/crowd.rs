//! Buyers who come at the same time.

use std::time::Duration;

use leasehold::Locker;
use tokio::task::JoinSet;

use crate::{
    ITEM, Problem,
    shop::{Sale, Shop},
};

/// Nobody in the queue of this shop goes home early.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a crowd.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How many orders were accepted.
    pub(crate) accepted: u32,
    /// How many were told that nothing is left.
    pub(crate) sold_out: u32,
    /// How many could not be served.
    pub(crate) failed: u32,
    /// Why the first of those was not served.
    pub(crate) reason: Option<String>,
}

impl Tally {
    /// Adds what became of another crowd.
    pub(crate) fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.sold_out += other.sold_out;
        self.failed += other.failed;
        self.reason = self.reason.take().or(other.reason);
    }

    fn count(&mut self, sale: Result<Sale, Problem>) {
        match sale {
            Ok(Sale::Accepted) => self.accepted += 1,
            Ok(Sale::SoldOut) => self.sold_out += 1,
            Err(problem) => {
                self.failed += 1;
                self.reason.get_or_insert_with(|| problem.to_string());
            }
        }
    }
}

/// Serves so many buyers, each in a task of its own; under the lock if there is a locker.
pub(crate) async fn serve(shop: &Shop, locker: Option<&Locker>, buyers: u32) -> Tally {
    let mut crowd = JoinSet::new();
    for _ in 0..buyers {
        crowd.spawn(buy(shop.clone(), locker.cloned()));
    }
    let mut tally = Tally::default();
    while let Some(sale) = crowd.join_next().await {
        tally.count(sale.unwrap_or_else(|panic| Err(panic.into())));
    }
    tally
}

async fn buy(shop: Shop, locker: Option<Locker>) -> Result<Sale, Problem> {
    shop.pass_up_to(Duration::from_millis(60)).await; // not all come in the same millisecond
    match locker {
        None => shop.sell().await,
        Some(locker) => locker.lock(ITEM).wait(PATIENCE).with(|_lease| shop.sell()).await?,
    }
}
