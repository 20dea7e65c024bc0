use leasehold::{Locker, Result, with_lock};

#[with_lock(locker = locker, key = "k", ttl = "30 apples")]
async fn unreadable(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", ttl = "0s")]
async fn zero(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", wait = "99999999999999999999s")]
async fn overflow(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", wait = "-5s")]
async fn negative(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", ttl = 30)]
async fn a_number(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", ttl = "30s", min_hold = "1m")]
async fn longer_than_the_ttl(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", max_lifetime = "0ms")]
async fn no_lifetime(locker: &Locker) -> Result<()> {
    Ok(())
}

fn main() {}
