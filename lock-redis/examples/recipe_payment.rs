//! Recipe: a payment that is made once, in three layers.
//!
//! What is wrong in the usual recipe: "take the lock, look whether it is paid, charge". A lease can end while the
//! charge is on its way, and then a second process looks, finds nothing, and charges again. The lock puts the
//! attempts in a row and spares the losers their work; it does not make a payment happen once. Nor does an
//! idempotency key alone: two clicks have two keys. And a key template that names no argument (`payment:{orderId}`
//! where it is called `order_id`) locks all orders at once, or none; here it does not compile.
//!
//! | Layer | Against |
//! |---|---|
//! | idempotency key | the client's own retry: it gets the receipt of the first time |
//! | lock on the order | two attempts at once, from two clicks or two processes |
//! | constraint in the database, written *before* the charge | a process that wrongly believes it has the lock |
//!
//! The card provider gets the order's number as *its* idempotency key, so that an attempt that died between the
//! charge and the receipt can be finished by the next one.
//!
//! ```text
//! cargo run -p leasehold-redis --example recipe_payment
//! cargo run -p leasehold-redis --example recipe_payment -- --redis redis://127.0.0.1:6379
//! ```

mod common;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use common::{Place, Problem, ensure, locked, work};
use leasehold::{Locker, with_lock};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use tokio::task::JoinSet;

const ORDERS: u32 = 5;

fn main() -> ExitCode {
    common::run(recipe)
}

#[derive(Debug)]
enum PayError {
    /// Somebody paid this order under another idempotency key.
    AlreadyPaid,
    Lock(leasehold::Error),
    Database(rusqlite::Error),
}

impl From<leasehold::Error> for PayError {
    fn from(error: leasehold::Error) -> Self {
        Self::Lock(error)
    }
}

impl From<rusqlite::Error> for PayError {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
            Self::AlreadyPaid
        } else {
            Self::Database(error)
        }
    }
}

/// The card company: it knows an order that it has charged before, and gives the same receipt again.
#[derive(Default)]
struct Provider {
    receipts: Mutex<BTreeMap<u32, String>>,
    charges: Mutex<BTreeMap<u32, u32>>,
}

impl Provider {
    fn charge(&self, order: u32) -> String {
        let mut receipts = locked(&self.receipts);
        let new = || {
            *locked(&self.charges).entry(order).or_default() += 1;
            format!("receipt-{order}")
        };
        receipts.entry(order).or_insert_with(new).clone()
    }
}

/// One process of the shop.
#[derive(Clone)]
struct Payments {
    locker: Locker,
    database: Arc<Mutex<Connection>>,
    provider: Arc<Provider>,
}

impl Payments {
    #[with_lock(locker = self.locker, key = "payment:{order}", ttl = "30s", wait = "20s")]
    async fn pay(&self, order: u32, idempotency_key: &str) -> Result<String, PayError> {
        self.settle(order, idempotency_key).await
    }

    /// Right even if two run at once: the lock makes it cheap, the database makes it true.
    async fn settle(&self, order: u32, idempotency_key: &str) -> Result<String, PayError> {
        match self.find(order).await? {
            Some((key, _)) if key != idempotency_key => return Err(PayError::AlreadyPaid),
            Some((_, Some(receipt))) => return Ok(receipt),
            // Begun by an attempt that did not get to its end: this one finishes it.
            Some((_, None)) => {}
            None => {
                let begin = "INSERT INTO payments (order_id, idempotency_key) VALUES (?1, ?2)";
                locked(&self.database).execute(begin, params![order, idempotency_key])?;
            }
        }
        work(&self.locker, 3).await;
        let receipt = self.provider.charge(order);
        let finish = "UPDATE payments SET receipt = ?2 WHERE order_id = ?1";
        locked(&self.database).execute(finish, params![order, receipt])?;
        Ok(receipt)
    }

    /// The answer is on its way for a while, and may be old when it arrives.
    async fn find(&self, order: u32) -> rusqlite::Result<Option<(String, Option<String>)>> {
        let query = "SELECT idempotency_key, receipt FROM payments WHERE order_id = ?1";
        let found = locked(&self.database)
            .query_row(query, [order], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        work(&self.locker, 2).await;
        Ok(found)
    }
}

async fn recipe(place: &Place) -> Result<String, Problem> {
    let database = Connection::open_in_memory()?;
    database.execute_batch(
        "CREATE TABLE payments (order_id INTEGER PRIMARY KEY, idempotency_key TEXT NOT NULL UNIQUE, receipt TEXT)",
    )?;
    let database = Arc::new(Mutex::new(database));
    let provider = Arc::<Provider>::default();
    let shop = async |name: &str| {
        let (database, provider) = (Arc::clone(&database), Arc::clone(&provider));
        Ok::<_, Problem>(Payments { locker: place.locker(name).await?, database, provider })
    };

    // Two clicks on every order, each sent twice because the client lost patience, to four processes.
    let mut attempts = JoinSet::new();
    for process in 0..4 {
        let shop = shop(&format!("shop-{process}")).await?;
        for order in 1..=ORDERS {
            let (shop, key) = (shop.clone(), format!("order-{order}-click-{}", process % 2));
            attempts.spawn(async move { (order, shop.pay(order, &key).await) });
        }
    }
    let (mut receipts, mut refused) = (BTreeMap::<u32, Vec<String>>::new(), 0);
    while let Some(attempt) = attempts.join_next().await {
        match attempt? {
            (order, Ok(receipt)) => receipts.entry(order).or_default().push(receipt),
            (_, Err(PayError::AlreadyPaid)) => refused += 1,
            (order, Err(PayError::Lock(error))) => {
                return Err(format!("order {order}: {error}").into());
            }
            (_, Err(PayError::Database(error))) => return Err(error.into()),
        }
    }
    ensure(
        receipts.len() == ORDERS as usize
            && receipts.values().all(|both| both.len() == 2 && both[0] == both[1]),
        format_args!("a click and its retry got different answers: {receipts:?}"),
    )?;
    ensure(refused == 2 * ORDERS, format_args!("{refused} second clicks were refused"))?;

    // Two processes that both believe in their lease, which a lock can't rule out.
    let (a, b) = (shop("paused").await?, shop("newer").await?);
    let both = tokio::join!(a.settle(ORDERS + 1, "paused"), b.settle(ORDERS + 1, "newer"));
    ensure(
        matches!(both, (Ok(_), Err(PayError::AlreadyPaid)) | (Err(PayError::AlreadyPaid), Ok(_))),
        format_args!("two at once: {both:?}"),
    )?;

    let charges = locked(&provider.charges);
    ensure(
        charges.len() == ORDERS as usize + 1 && charges.values().all(|&times| times == 1),
        format_args!("charged: {charges:?}"),
    )?;
    Ok(format!("{} orders, {} attempts, each charged once", charges.len(), 4 * ORDERS + 2))
}
