use leasehold::{Locker, Result, with_lock};

#[with_lock(locker = locker, key = "k", ttl = seconds)]
async fn a_number_by_name(locker: &Locker, seconds: u64) -> Result<()> {
    Ok(())
}

fn main() {}
