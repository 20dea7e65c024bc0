use leasehold::{Locker, Result, with_lock};

struct Order {
    id: u64,
    items: Vec<u64>,
}

#[with_lock(locker = locker, key = "order:{order.di}")]
async fn unknown_field(locker: &Locker, order: &Order) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order:{order.items}")]
async fn not_display(locker: &Locker, order: &Order) -> Result<()> {
    Ok(())
}

fn main() {}
