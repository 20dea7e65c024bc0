use leasehold::{Locker, Result, with_lock};

#[with_lock(locker = locker, key = "k")]
fn not_async(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k")]
async fn returns_nothing(locker: &Locker) {}

#[with_lock(locker = locker, key = "k")]
struct NoFunction;

fn main() {}
