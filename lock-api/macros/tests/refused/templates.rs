use leasehold::{Locker, Result, with_lock};

struct Order {
    id: u64,
    items: Vec<u64>,
}

#[with_lock(locker = locker, key = "order:{ordre.id}")]
async fn unknown_name(locker: &Locker, order: &Order) -> Result<()> {
    Ok(())
}

struct Shop {
    locker: Locker,
}

impl Shop {
    #[with_lock(locker = self.locker, key = "order:{id}")]
    async fn one_argument(&self) -> Result<()> {
        Ok(())
    }
}

#[with_lock(locker = LOCKER, key = "order:{id}")]
async fn no_argument() -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order:{order.id")]
async fn unclosed(locker: &Locker, order: &Order) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order:}")]
async fn unopened(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order:{}")]
async fn empty_place(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "")]
async fn empty(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order:{0}")]
async fn position(locker: &Locker, order: u64) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order:{order:?}")]
async fn format(locker: &Locker, order: u64) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order:{order.id()}")]
async fn call(locker: &Locker, order: &Order) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "order", label = "{worker}")]
async fn label(locker: &Locker, order: u64) -> Result<()> {
    Ok(())
}

fn main() {}
