//! Fencing in SQL: the same rule as a `WHERE` clause, on read *and* write.
//!
//! `cargo run -p leasehold-memory --example fenced_sql`
//!
//! Every row that a lock protects has two more columns, the newest fence: `token` and `owner`. A holder's first touch, a
//! read too, raises them; a touch with an older fence changes no row, and that is how the caller knows.
#![allow(clippy::print_stdout, reason = "a program for people")]

use leasehold::{Locker, fenced::Fence};
use leasehold_memory::MemoryBackend;
use rusqlite::{Connection, OptionalExtension as _, named_params};

const SCHEMA: &str = "CREATE TABLE stock (
    name  TEXT PRIMARY KEY,
    items INTEGER NOT NULL,
    token INTEGER NOT NULL DEFAULT 0,
    owner TEXT    NOT NULL DEFAULT ''
)";

/// Shows the fence and reads: nothing comes back to a stale holder.
const READ: &str = "UPDATE stock SET token = :token, owner = :owner
    WHERE name = :name AND (token < :token OR (token = :token AND owner = :owner))
    RETURNING items";

/// Shows the fence and writes: a stale holder changes no row.
const WRITE: &str = "UPDATE stock SET items = :items, token = :token, owner = :owner
    WHERE name = :name AND (token < :token OR (token = :token AND owner = :owner))";

struct Stock(Connection);

impl Stock {
    fn with(name: &str, items: i64) -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute(SCHEMA, [])?;
        connection.execute("INSERT INTO stock (name, items) VALUES (?1, ?2)", (name, items))?;
        Ok(Self(connection))
    }

    /// `None`: the fence is stale, stop working.
    fn read(&self, name: &str, fence: Fence) -> rusqlite::Result<Option<i64>> {
        let (token, owner) = columns(fence);
        let shown = named_params! { ":name": name, ":token": token, ":owner": owner };
        self.0.query_row(READ, shown, |row| row.get(0)).optional()
    }

    /// `false`: the fence is stale, nothing was written.
    fn write(&self, name: &str, fence: Fence, items: i64) -> rusqlite::Result<bool> {
        let (token, owner) = columns(fence);
        let shown =
            named_params! { ":name": name, ":items": items, ":token": token, ":owner": owner };
        Ok(self.0.execute(WRITE, shown)? == 1)
    }
}

/// Tokens fit SQL's signed integers: they are microseconds since 1970.
fn columns(fence: Fence) -> (i64, String) {
    (i64::try_from(fence.token.get()).unwrap_or(i64::MAX), fence.owner.expose_hex())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let locker = Locker::new(MemoryBackend::new());
    let stock = Stock::with("apples", 10)?;

    // A holder reads, then is paused for longer than its lease lasts …
    let paused = locker.acquire("apples").await?;
    let stale = paused.fence();
    let seen = stock.read("apples", stale)?.ok_or("the first read is not stale")?;
    locker.revoke("apples").await?;

    // … meanwhile another one sells an apple …
    let next = locker.acquire("apples").await?;
    let left = stock.read("apples", next.fence())?.ok_or("the newest read is not stale")?;
    let sold = stock.write("apples", next.fence(), left - 1)?;
    println!("the new holder read {left} and wrote {}: {sold}", left - 1);

    // … and the paused one wakes up and writes what it had computed.
    let overwritten = stock.write("apples", stale, seen - 1)?;
    println!("the paused holder wanted to write {}: {overwritten}", seen - 1);

    let left = stock.read("apples", next.fence())?;
    println!("left: {left:?}");
    if sold && !overwritten && left == Some(9) {
        Ok(())
    } else {
        Err("the fence let it through".into())
    }
}
