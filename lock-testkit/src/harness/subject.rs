//! What is put to the test.

use std::fmt::Debug;

use proptest::strategy::Strategy;

use super::{End, SimStore};
use crate::sim::Node;

/// A service that uses locks, what is asked of it, and what must hold.
///
/// The service is your own code, as it is: it takes its locks from a [`Locker`](leasehold::Locker) or a backend, and its
/// time, tasks and randomness from their [`Runtime`](leasehold::Runtime). What it keeps its data in is replaced by a
/// [`SimStore`]: plain data that every client sees, and that plans can be aimed at.
pub trait Subject: Send + Sync + 'static {
    /// The data that all clients share.
    type Store: Send + 'static;
    /// One client's instance of the service.
    type Service: Send + Sync + 'static;
    /// What is asked of it.
    type Op: Clone + Debug + Send + Sync + 'static;
    /// What it answers.
    type Out: Clone + Debug + Send + Sync + 'static;

    /// The names of the points that plans may aim at: those of the store's accesses, and any
    /// [`Node::point`] that the service comes to.
    const POINTS: &'static [&'static str] = &["read", "write"];

    /// The data before anything happened. Called once for each run.
    fn store(&self) -> Self::Store;

    /// The service as one client has it: `node` has the backend, a locker for it, and the runtime. Called when a client
    /// begins, and again when it comes back after a crash.
    fn service(&self, node: &Node, store: SimStore<Self::Store>) -> Self::Service;

    /// What may be asked.
    fn operations(&self) -> impl Strategy<Value = Self::Op>;

    /// Asks it. The answer is `None` if the service can't tell whether it did something; what it certainly did not do is
    /// an answer. A client that crashes meanwhile gets none either, and goes on with its next operation.
    fn call(
        service: &Self::Service,
        operation: Self::Op,
    ) -> impl Future<Output = Option<Self::Out>> + Send;

    /// What must hold in the end: an invariant over the data and the answers, or a model by
    /// [`End::linearizable`], or both.
    ///
    /// # Errors
    /// One sentence that says what is wrong. A panic counts as one.
    fn holds(&self, end: &End<'_, Self>) -> Result<(), String>;
}
