//! A store whose values are read, changed and written back, and must lose no change.

use std::sync::Arc;

use async_trait::async_trait;
use leasehold::{
    Locker,
    fenced::{Admission, Fence, FenceGate},
};
use leasehold_testkit::{
    harness::{End, SimStore, Subject},
    sim::Node,
};
use proptest::strategy::Strategy;

// The service, as it would run in production.

/// Keeps a balance.
pub struct Account {
    locker: Locker,
    cell: Arc<dyn Balance>,
}

/// Where the balance is kept. A refused access did nothing.
#[async_trait]
pub trait Balance: Send + Sync {
    async fn read(&self, fence: Fence) -> Option<i64>;
    async fn write(&self, fence: Fence, balance: i64) -> Option<()>;
}

impl Account {
    /// The balance afterwards; `None` if nothing was done.
    pub async fn deposit(&self, amount: i64) -> Option<i64> {
        let lease = self.locker.acquire("account").await.ok()?;
        let balance = self.cell.read(lease.fence()).await? + amount;
        if !lease.is_valid() {
            return None;
        }
        self.cell.write(lease.fence(), balance).await?;
        Some(balance)
    }
}

// Its store, as the simulation has it.

/// The balance, and the newest fence that was seen.
pub struct Cell {
    balance: i64,
    gate: FenceGate,
    fence_reads: bool,
}

#[async_trait]
impl Balance for SimStore<Cell> {
    async fn read(&self, fence: Fence) -> Option<i64> {
        let read = |cell: &mut Cell| {
            let open = !cell.fence_reads || cell.gate.admit(fence) == Admission::Admitted;
            open.then_some(cell.balance)
        };
        self.access("read", read).await
    }
    async fn write(&self, fence: Fence, balance: i64) -> Option<()> {
        let write = |cell: &mut Cell| {
            let open = cell.gate.admit(fence) == Admission::Admitted;
            open.then(|| cell.balance = balance)
        };
        self.access("write", write).await
    }
}

// What the harness needs.

/// Pays in an amount.
#[derive(Clone, Debug)]
pub struct Deposit(i64);

/// The account, with fences on write, and with or without fences on read.
pub struct Deposits {
    pub fence_reads: bool,
}

impl Subject for Deposits {
    type Store = Cell;
    type Service = Account;
    type Op = Deposit;
    type Out = Option<i64>;

    fn store(&self) -> Cell {
        Cell { balance: 0, gate: FenceGate::default(), fence_reads: self.fence_reads }
    }
    fn service(&self, node: &Node, store: SimStore<Cell>) -> Account {
        Account { locker: node.locker(), cell: Arc::new(store) }
    }
    fn operations(&self) -> impl Strategy<Value = Deposit> {
        (1_i64..10).prop_map(Deposit)
    }
    async fn call(account: &Account, Deposit(amount): Deposit) -> Option<Option<i64>> {
        Some(account.deposit(amount).await)
    }
    fn holds(&self, end: &End<'_, Self>) -> Result<(), String> {
        // A deposit answers the balance that it leaves, or did nothing.
        end.linearizable_by(0, |sum, Deposit(amount), answer| match answer {
            Some(None) => Some(*sum),
            Some(Some(balance)) if *balance != sum + amount => None,
            _ => Some(sum + amount),
        })
    }
}
