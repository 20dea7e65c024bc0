//! Recipe: money between two accounts, under the locks of both.
//!
//! What is wrong in the usual recipe: "sort the two keys, take one lock inside the other". The order is right: without it
//! a transfer from a to b and one from b to a wait for each other for ever. But the same account twice waits for itself;
//! and the first lease may end while the second is waited for, so that the work begins under one lock. Here a
//! transfer to the same account is refused, both accounts are taken together, and the work is stopped when either is lost.
//!
//! Where both accounts are rows of one database, a transaction does all this better. The locks are for two systems that
//! know no common transaction; each of them should also compare fencing tokens, as `recipe_inventory` does.
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_transfer
//! ```

mod common;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Place, Problem, ensure, locked, work};
use leasehold::Locker;
use tokio::task::JoinSet;

const ACCOUNTS: usize = 4;
const BEGIN: i64 = 100;

fn main() -> ExitCode {
    common::run(recipe)
}

#[derive(Debug)]
enum Refused {
    SameAccount,
    TooLittle,
}

/// The balances, read and written in steps, as over a network.
#[derive(Default)]
struct Bank(Vec<Mutex<i64>>);

impl Bank {
    async fn read(&self, locker: &Locker, account: usize) -> i64 {
        work(locker, 1).await;
        *locked(&self.0[account])
    }

    async fn write(&self, locker: &Locker, account: usize, balance: i64) {
        work(locker, 1).await;
        *locked(&self.0[account]) = balance;
    }

    /// Right only while nobody else touches the two accounts.
    async fn shift(
        &self,
        locker: &Locker,
        from: usize,
        to: usize,
        amount: i64,
    ) -> Result<(), Refused> {
        let (giver, taker) = (self.read(locker, from).await, self.read(locker, to).await);
        if giver < amount {
            return Err(Refused::TooLittle);
        }
        self.write(locker, from, giver - amount).await;
        self.write(locker, to, taker + amount).await;
        Ok(())
    }
}

async fn transfer(
    locker: &Locker,
    bank: &Bank,
    (from, to): (usize, usize),
    amount: i64,
) -> leasehold::Result<Result<(), Refused>> {
    if from == to {
        return Ok(Err(Refused::SameAccount));
    }
    // Both or neither, at once where the server can, else in one order for everybody: nobody waits for a lower account
    // while it holds a higher one. `with` stops its body when either lease is lost.
    let accounts = [from, to].map(|account| format!("account:{account}"));
    let both = locker.lock_all(accounts).wait(Duration::from_secs(30)).keep_alive();
    both.with(async |_| bank.shift(locker, from, to, amount).await).await
}

async fn recipe(place: &Place) -> Result<String, Problem> {
    let bank = Arc::new(Bank((0..ACCOUNTS).map(|_| Mutex::new(BEGIN)).collect()));
    let mut transfers = JoinSet::new();
    for from in 0..ACCOUNTS {
        for to in 0..ACCOUNTS {
            let (locker, bank) =
                (place.locker(&format!("{from}-to-{to}")).await?, Arc::clone(&bank));
            transfers.spawn(async move { transfer(&locker, &bank, (from, to), 40).await });
        }
    }
    let (mut done, mut same, mut too_little) = (0, 0, 0);
    while let Some(transfer) = transfers.join_next().await {
        match transfer?? {
            Ok(()) => done += 1,
            Err(Refused::SameAccount) => same += 1,
            Err(Refused::TooLittle) => too_little += 1,
        }
    }
    let balances: Vec<_> = bank.0.iter().map(|account| *locked(account)).collect();
    let total: i64 = balances.iter().sum();
    ensure(balances.iter().all(|&balance| balance >= 0), format_args!("overdrawn: {balances:?}"))?;
    ensure(total == BEGIN * 4, format_args!("{total} are left of {}: {balances:?}", BEGIN * 4))?;
    ensure(
        same == ACCOUNTS,
        format_args!("{same} of {ACCOUNTS} to the same account were refused"),
    )?;
    Ok(format!(
        "{done} transfers, {too_little} refused for lack of money, the total is still {total}"
    ))
}
