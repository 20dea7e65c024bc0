use leasehold::{Locker, Result, with_lock};

#[with_lock(key = "k")]
async fn no_locker(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker)]
async fn no_key(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", timeout = "5s")]
async fn unknown_option(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", ttl = "5s", ttl = "6s")]
async fn given_twice(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", wait)]
async fn without_a_value(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", keep_alive = "yes")]
async fn not_a_bool(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", lease = locker)]
async fn lease_hides_an_argument(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", lease = "lease")]
async fn lease_is_no_name(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", on_contention = "skip")]
async fn contention_is_no_text(locker: &Locker) -> Result<()> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", on_contention = skip(1, 2))]
async fn skip_with_two(locker: &Locker) -> Result<u8> {
    Ok(1)
}

fn main() {}
