use leasehold::{Locker, Result, with_lock};

#[with_lock(locker = locker, key = "k")]
async fn returns_no_result(locker: &Locker) -> u64 {
    7
}

#[with_lock(locker = locker, key = "k")]
async fn error_without_from(locker: &Locker) -> std::result::Result<(), std::fmt::Error> {
    Ok(())
}

#[with_lock(locker = locker, key = "k", on_contention = skip)]
async fn skipped_without_a_value(locker: &Locker) -> Result<u64> {
    Ok(7)
}

#[with_lock(locker = locker, key = "k", on_contention = |busy| Err(busy))]
async fn handler_is_not_async(locker: &Locker) -> Result<u64> {
    Ok(7)
}

#[with_lock(locker = locker, key = "k")]
async fn body_of_another_type(locker: &Locker) -> Result<u64> {
    Ok("seven")
}

fn main() {}
