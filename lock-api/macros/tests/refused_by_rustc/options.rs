use leasehold::{Locker, Result, with_lock};

#[with_lock(locker = name, key = "k")]
async fn not_a_locker(name: &str) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = 7)]
async fn not_a_key(locker: &Locker) -> Result<()> {
    Ok(())
}

fn main() {}
