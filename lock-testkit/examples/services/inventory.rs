//! An inventory that must not sell more than it has.

use std::sync::Arc;

use async_trait::async_trait;
use leasehold::{
    Locker,
    fenced::{Admission, Fence, FenceGate},
};
use leasehold_testkit::{
    harness::{End, SimStore, Subject},
    sim::Node,
};
use proptest::strategy::{Just, Strategy};

// The service, as it would run in production.

/// Sells what is in stock, one sale at a time.
pub struct Shop {
    locker: Locker,
    stock: Arc<dyn Stock>,
}

/// Where the number of pieces is kept. A refused access did nothing.
#[async_trait]
pub trait Stock: Send + Sync {
    async fn count(&self, fence: Fence) -> Option<u32>;
    async fn set_count(&self, fence: Fence, count: u32) -> Option<()>;
}

/// What became of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sale {
    Sold,
    SoldOut,
    TryLater,
}

impl Shop {
    pub async fn sell(&self) -> Sale {
        let Ok(lease) = self.locker.acquire("stock").await else { return Sale::TryLater };
        let Some(count) = self.stock.count(lease.fence()).await else { return Sale::TryLater };
        let Some(less) = count.checked_sub(1) else { return Sale::SoldOut };
        // A good habit, and no proof: the process may be stopped right after it.
        if !lease.is_valid() {
            return Sale::TryLater;
        }
        let written = self.stock.set_count(lease.fence(), less).await;
        written.map_or(Sale::TryLater, |()| Sale::Sold)
    }
}

// Its store, as the simulation has it.

/// The number of pieces, and the newest fence that was seen.
pub struct Shelf {
    count: u32,
    gate: Option<FenceGate>,
}

impl Shelf {
    fn admits(&mut self, fence: Fence) -> bool {
        self.gate.as_mut().is_none_or(|gate| gate.admit(fence) == Admission::Admitted)
    }
}

#[async_trait]
impl Stock for SimStore<Shelf> {
    async fn count(&self, fence: Fence) -> Option<u32> {
        self.access("read", |shelf| shelf.admits(fence).then_some(shelf.count)).await
    }
    async fn set_count(&self, fence: Fence, count: u32) -> Option<()> {
        self.access("write", |shelf| shelf.admits(fence).then(|| shelf.count = count)).await
    }
}

// What the harness needs.

/// How many pieces there are.
const PIECES: u32 = 2;

/// Sells one piece.
#[derive(Clone, Debug)]
pub struct Sell;

/// The inventory, with or without a stock that looks at fences.
pub struct Inventory {
    pub fenced: bool,
}

impl Subject for Inventory {
    type Store = Shelf;
    type Service = Shop;
    type Op = Sell;
    type Out = Sale;

    fn store(&self) -> Shelf {
        Shelf { count: PIECES, gate: self.fenced.then(FenceGate::default) }
    }
    fn service(&self, node: &Node, store: SimStore<Shelf>) -> Shop {
        Shop { locker: node.locker(), stock: Arc::new(store) }
    }
    fn operations(&self) -> impl Strategy<Value = Sell> {
        Just(Sell)
    }
    async fn call(shop: &Shop, _: Sell) -> Option<Sale> {
        Some(shop.sell().await)
    }
    fn holds(&self, end: &End<'_, Self>) -> Result<(), String> {
        let sold = end.outputs().filter(|sale| **sale == Sale::Sold).count();
        if sold <= PIECES as usize { Ok(()) } else { Err(format!("oversold: {sold} of {PIECES}")) }
    }
}
