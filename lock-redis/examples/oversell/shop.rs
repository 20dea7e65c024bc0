//! The shop: a stock that is read and written, and a sale made of the two.

use std::{sync::Arc, time::Duration};

use leasehold::{Runtime, async_trait};

use crate::Problem;

/// Where the stock is kept. A reading and a writing are requests of their own, as with any database.
#[async_trait]
pub(crate) trait Stock: Send + Sync {
    /// How many items are left.
    async fn read(&self) -> Result<u32, Problem>;

    /// Notes that so many are left.
    async fn write(&self, left: u32) -> Result<(), Problem>;
}

/// How an attempt to buy ended.
pub(crate) enum Sale {
    /// The order was accepted; somebody expects a parcel.
    Accepted,
    /// Nothing was left.
    SoldOut,
}

/// Sells from a stock. Clones are the same shop.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) stock: Arc<dyn Stock>,
    pub(crate) runtime: Runtime,
}

impl Shop {
    /// Sells one item: reads the stock, works on the order, writes what is left.
    ///
    /// Alone, this is right. What another buyer does between the reading and the writing is overwritten.
    pub(crate) async fn sell(&self) -> Result<Sale, Problem> {
        let left = self.stock.read().await?;
        let Some(left_after) = left.checked_sub(1) else {
            return Ok(Sale::SoldOut);
        };
        self.pass_up_to(Duration::from_millis(8)).await; // the payment, the invoice, …
        self.stock.write(left_after).await?;
        Ok(Sale::Accepted)
    }

    /// Lets a random time pass, at the most this long.
    pub(crate) async fn pass_up_to(&self, most: Duration) {
        self.runtime.sleep(most.mul_f64(self.runtime.entropy().unit())).await;
    }
}
