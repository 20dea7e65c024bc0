//! What the clients do: a bit of everything that a holder can.

use std::{sync::Arc, time::Duration};

use leasehold::{LockKey, Ttl, timeout_at};

use super::{FacadeBug, Held, Holder, store::Store};
use crate::sim::Node;

/// The names of the points that clients come to.
pub(super) const POINTS: [&str; 2] = ["check", "write"];

pub(super) struct Client {
    pub(super) node: Node,
    pub(super) holder: Holder,
    /// What everybody wants.
    pub(super) key: LockKey,
    /// What nobody else wants.
    pub(super) own: LockKey,
    pub(super) store: Arc<Store>,
}

impl Client {
    pub(super) async fn work(self) {
        self.keep_alive().await;
        self.outlive().await;
        self.drop_while_held().await;
        self.drop_on_the_way().await;
        self.try_a_few_times().await;
    }

    /// Holds until the lease runs out by itself, and longer.
    async fn outlive(&self) {
        let Some(held) = self.wait(false).await else { return };
        self.node.point("check").await;
        self.write(&held).await;
        self.sleep(1_100).await;
        let _released = held.release().await;
    }

    /// Holds a key that nobody else wants for longer than a ttl.
    async fn keep_alive(&self) {
        let Ok(Some(held)) = self.holder.try_acquire(&self.own, true).await else { return };
        self.claim(&held);
        self.node.point("check").await;
        self.sleep(2_500).await;
        let _released = held.release().await;
    }

    /// Forgets to give back.
    async fn drop_while_held(&self) {
        let Some(held) = self.wait(true).await else { return };
        self.write(&held).await;
        self.sleep(400).await;
        drop(held);
    }

    /// Loses patience before the answer can be there, or just then.
    async fn drop_on_the_way(&self) {
        let runtime = self.node.runtime();
        let patience = runtime.now() + self.holder.ttl.get() / 200;
        let trying = self.holder.try_acquire(&self.own, false);
        let _held = timeout_at(runtime.clock(), patience, trying).await;
    }

    async fn try_a_few_times(&self) {
        for key in [&self.own, &self.key, &self.key] {
            if let Ok(Some(held)) = self.holder.try_acquire(key, false).await {
                self.claim(&held);
                let _released = held.release().await;
            }
            self.sleep(50).await;
        }
    }

    async fn wait(&self, renews: bool) -> Option<Held> {
        let within = self.holder.ttl.get() * 3;
        let held = self.holder.acquire(&self.key, within, renews).await.ok()??;
        self.claim(&held);
        Some(held)
    }

    fn claim(&self, held: &Held) {
        self.node.claim(held.key().clone(), held.token(), held.belief());
    }

    /// Writes to what the lock protects, if the lease is valid: which it may not be any more when the write comes.
    async fn write(&self, held: &Held) {
        if !held.is_valid() {
            return;
        }
        self.node.point("write").await;
        let fenced = !self.holder.has(FacadeBug::WritesWithoutToken);
        if self.store.write(held.token(), fenced) {
            let (client, token) = (self.node.number(), held.token());
            self.node.fail(format!("G9 client {client} wrote by token {token} after a newer one"));
        }
    }

    /// So many thousandths of a ttl.
    async fn sleep(&self, thousandths: u32) {
        self.node.runtime().sleep(self.holder.ttl.get() * thousandths / 1_000).await;
    }
}

/// The ttl of a run.
pub(super) fn ttl() -> Ttl {
    Ttl::new(Duration::from_secs(1)).unwrap_or(Ttl::MIN)
}
