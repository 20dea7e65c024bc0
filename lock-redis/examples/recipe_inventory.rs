//! Recipe: stock that is never oversold, also by a holder that was paused.
//!
//! What is wrong in the usual recipe: "take the lock for 5 s, read, check, write". A holder that is paused for 6 s
//! between its read and its write (garbage collection, a frozen machine, a slow network) writes what it computed
//! from old stock over what the next holder sold. No look at the clock before the write closes that gap, since the
//! pause can come after the look. Here every read and every write shows the lease's fencing token, and the store
//! refuses one older than it has seen: the late write fails, in the store itself.
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_inventory
//! ```

mod common;

use std::{process::ExitCode, sync::Arc, time::Duration};

use common::{Place, Problem, ensure, work};
use leasehold::{
    Lease, Locker,
    fenced::{Fence, FencedAccess, FencedStore},
};
use tokio::task::JoinSet;

const STOCK: u32 = 10;
const BUYERS: u32 = 25;
const ITEM: &str = "red-umbrella";

fn main() -> ExitCode {
    common::run(recipe)
}

/// The stock as this holder may see it; a holder that comes too late is told so.
async fn read(store: &dyn FencedStore, fence: Fence) -> Result<u32, Problem> {
    match store.read(ITEM, fence).await?.or_lost()? {
        Some(bytes) => Ok(String::from_utf8(bytes)?.parse()?),
        None => Ok(0),
    }
}

async fn write(store: &dyn FencedStore, fence: Fence, stock: u32) -> leasehold::Result<()> {
    store.write(ITEM, fence, stock.to_string().as_bytes()).await?.or_lost()
}

async fn buy(locker: Locker, store: Arc<dyn FencedStore>) -> Result<bool, Problem> {
    let request = locker.lock(format!("stock:{ITEM}")).wait(Duration::from_secs(30));
    let bought = async |lease: Lease| {
        let stock = read(&*store, lease.fence()).await?;
        if stock == 0 {
            return Ok(false);
        }
        work(&locker, 1).await;
        write(&*store, lease.fence(), stock - 1).await?;
        Ok(true)
    };
    request.with(bought).await?
}

async fn recipe(place: &Place) -> Result<String, Problem> {
    let store = place.store().await?;
    let owner = place.locker("warehouse").await?;
    let stocking = owner.acquire(format!("stock:{ITEM}")).await?;
    write(&*store, stocking.fence(), STOCK).await?;
    stocking.release().await?;

    // A seller looks at the stock and is paused; its lease ends meanwhile, as if its ttl had run out.
    let paused = owner.acquire(format!("stock:{ITEM}")).await?;
    let seen = read(&*store, paused.fence()).await?;
    owner.revoke(format!("stock:{ITEM}")).await?;

    let mut buyers = JoinSet::new();
    for buyer in 0..BUYERS {
        let locker = place.locker(&format!("shop-{buyer}")).await?;
        buyers.spawn(buy(locker, Arc::clone(&store)));
    }
    let mut sold = 0;
    while let Some(bought) = buyers.join_next().await {
        sold += u32::from(bought??);
    }

    // Now it wakes up and writes what it computed from what it saw.
    let late = store.write(ITEM, paused.fence(), (seen - 1).to_string().as_bytes()).await?;
    ensure(matches!(late, FencedAccess::Stale(_)), "the late write was let through")?;

    let counting = owner.acquire(format!("stock:{ITEM}")).await?;
    let left = read(&*store, counting.fence()).await?;
    counting.release().await?;
    ensure(
        (sold, left) == (STOCK, 0),
        format_args!("sold {sold} of {STOCK}, and {left} are left"),
    )?;
    Ok(format!("{BUYERS} buyers, {sold} of {STOCK} sold, the late write was refused"))
}
