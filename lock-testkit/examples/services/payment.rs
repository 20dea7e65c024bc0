//! A payment that must be charged once.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use leasehold::Locker;
use leasehold_testkit::{
    harness::{End, SimStore, Subject},
    sim::Node,
};
use proptest::strategy::Strategy;

// The service, as it would run in production.

/// Charges orders at a bank.
pub struct Till {
    locker: Locker,
    bank: Arc<dyn Bank>,
    idempotent: bool,
}

/// The bank, and the books of the shop. No fence reaches the bank: it belongs to somebody else.
#[async_trait]
pub trait Bank: Send + Sync {
    async fn is_paid(&self, order: u32) -> bool;
    /// Takes money; with a key only the first time that it is shown.
    async fn charge(&self, order: u32, key: Option<String>);
    async fn note_paid(&self, order: u32);
}

/// What became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    Charged,
    AlreadyPaid,
    TryLater,
}

impl Till {
    pub async fn pay(&self, order: u32) -> Payment {
        let locked = self.locker.acquire(format!("order:{order}")).await;
        let Ok(lease) = locked else { return Payment::TryLater };
        if self.bank.is_paid(order).await {
            return Payment::AlreadyPaid;
        }
        if !lease.is_valid() {
            return Payment::TryLater;
        }
        let key = self.idempotent.then(|| format!("order:{order}"));
        self.bank.charge(order, key).await;
        self.bank.note_paid(order).await;
        Payment::Charged
    }
}

// Its store, as the simulation has it.

/// What was charged, and what is known of it.
#[derive(Default)]
pub struct Books {
    charged: Vec<u32>,
    keys: BTreeSet<String>,
    paid: BTreeSet<u32>,
}

#[async_trait]
impl Bank for SimStore<Books> {
    async fn is_paid(&self, order: u32) -> bool {
        self.access("read", |books| books.paid.contains(&order)).await
    }
    async fn charge(&self, order: u32, key: Option<String>) {
        let charge = |books: &mut Books| {
            if key.is_none_or(|key| books.keys.insert(key)) {
                books.charged.push(order);
            }
        };
        self.access("charge", charge).await;
    }
    async fn note_paid(&self, order: u32) {
        self.access("write", |books| books.paid.insert(order)).await;
    }
}

// What the harness needs.

/// Pays an order.
#[derive(Clone, Debug)]
pub struct Pay(u32);

/// The payment, with or without a key that makes a charge idempotent.
pub struct Paying {
    pub idempotent: bool,
}

impl Subject for Paying {
    type Store = Books;
    type Service = Till;
    type Op = Pay;
    type Out = Payment;
    const POINTS: &'static [&'static str] = &["read", "charge", "write"];

    fn store(&self) -> Books {
        Books::default()
    }
    fn service(&self, node: &Node, store: SimStore<Books>) -> Till {
        Till { locker: node.locker(), bank: Arc::new(store), idempotent: self.idempotent }
    }
    fn operations(&self) -> impl Strategy<Value = Pay> {
        (1_u32..3).prop_map(Pay)
    }
    async fn call(till: &Till, Pay(order): Pay) -> Option<Payment> {
        Some(till.pay(order).await)
    }
    fn holds(&self, end: &End<'_, Self>) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let twice = end.store.charged.iter().find(|order| !seen.insert(**order));
        twice.map_or(Ok(()), |order| Err(format!("order {order} was charged twice")))
    }
}
