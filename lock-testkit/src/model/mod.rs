//! Models: what an object should do, one operation at a time.
//!
//! [`Model`] is the specification that the general checker (`check::linear`) wants; the small
//! modules here are worked examples. [`lock`] is the sequential specification of leases; the lock
//! checker and the brute force are judged against it.

mod cas;
mod kv;
mod kv_whole;
pub mod lock;
mod mutex;
mod permits;
mod register;

pub use cas::{Cas, CasOp, CasRet};
pub use kv::{Kv, KvOp, KvRet};
pub use kv_whole::{KvValues, WholeKv};
pub use mutex::{Mutex, MutexOp, MutexRet};
pub use permits::{Permits, PermitsOp, PermitsRet};
pub use register::{Register, RegisterOp, RegisterRet};

use std::fmt::Debug;
use std::hash::Hash;

/// The instants, in nanoseconds, between which an operation takes effect (both included).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Not before.
    pub from_ns: u64,
    /// Not after; `u64::MAX` if the operation never returned.
    pub to_ns: u64,
}

/// A sequential specification.
///
/// `step` may give several next states (an unknown outcome, a choice of the object) or none (this
/// operation cannot have this outcome here).
pub trait Model {
    /// The state of the object.
    type State: Clone + Eq + Hash + Debug;
    /// An operation with its arguments.
    type Op: Clone + Debug;
    /// What an operation returned.
    type Ret: Clone + Debug;
    /// The name of an independent part of the object (the key of a map; `()` for one object).
    type Part: Ord + Clone + Debug;

    /// The state before anything happened.
    fn init(&self) -> Self::State;

    /// Pushes onto `next` each state in which `op` can leave `state` when it returns `ret` (`None`: the
    /// outcome is unknown, and the operation is known to take effect) at some instant of `window`.
    fn step(
        &self,
        state: &Self::State,
        op: &Self::Op,
        ret: Option<&Self::Ret>,
        window: Window,
        next: &mut Vec<Self::State>,
    );

    /// Whether `op` with outcome `ret` leaves **every** state as it is (when it is possible at all).
    ///
    /// This is a property of the operation and its outcome, never of one state: writing 3 into a
    /// register that happens to hold 3 is *not* pure. A wrong `true` makes the checker raise false
    /// alarms; debug builds assert `step(s) == [s]` for each pure step taken. `false` is always right.
    fn is_pure(&self, op: &Self::Op, ret: &Self::Ret) -> bool {
        let _ = (op, ret);
        false
    }

    /// Whether two operations whose outcomes are unknown do the same from every state, so that it
    /// does not matter which of them was first. `false` is always right.
    fn same_effect(&self, one: &Self::Op, other: &Self::Op) -> bool {
        let _ = (one, other);
        false
    }

    /// Whether the order of two operations never matters: from every state, whatever they return and
    /// whenever they take effect, both orders allow the same outcomes and end in the same states.
    ///
    /// It shortens the search where [`Model::part`] cannot, as some operations touch several parts.
    /// A wrong `true` hides violations and raises false alarms; `false` is always right.
    fn commute(&self, one: &Self::Op, other: &Self::Op) -> bool {
        let _ = (one, other);
        false
    }

    /// The independent part that `op` touches. Operations of different parts must not influence each
    /// other.
    fn part(&self, op: &Self::Op) -> Self::Part;
}
