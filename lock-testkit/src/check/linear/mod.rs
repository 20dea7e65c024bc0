//! The general linearizability checker: any object that has a [`Model`].
//!
//! A depth-first search over the orders that real time allows (after Wing and Gong, with the memory of
//! visited pairs of done operations and state that Lowe added). Five reductions keep it short, and none of
//! them changes a verdict:
//!
//! - a pure operation ([`Model::is_pure`]) is taken as soon as it fits;
//! - of unknown operations with the same effect ([`Model::same_effect`]) the earliest is used first;
//! - an unknown operation that would not change the state here is not tried here;
//! - of operations that may come next, only those are tried that do not commute ([`Model::commute`])
//!   with the one that closes first, or with another of them;
//! - once every operation with an outcome has its place, the unknown rest does not matter.
//!
//! Independent parts ([`Model::part`]) are searched in turns with growing budgets of steps, so that one
//! hard part cannot hide that another is plainly wrong; the first refuted part ends the check.

mod kv_file;
mod order;
mod search;
mod seen;

use std::collections::BTreeMap;

pub use self::kv_file::{KvFileError, read_kv};
use self::search::{Progress, Search};
use super::{Limits, Reached};
use crate::model::Model;

/// One operation of a history on a user's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded<Op, Ret> {
    /// What was called.
    pub op: Op,
    /// What it returned; `None` if that is unknown (then it may also not have taken effect).
    pub ret: Option<Ret>,
    /// When it was called.
    pub invoked: Moment,
    /// When it returned; of an unknown one, when it could take effect no more (`None`: never).
    pub closed: Option<Moment>,
}

/// A place in the total order of events, and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Place in the order of events; no two events of a history share one.
    pub index: usize,
    /// Nanoseconds; never decreases along the indices. Models without time ignore it.
    pub at_ns: u64,
}

impl Moment {
    /// The moment of an event in a history without times.
    #[must_use]
    pub fn event(index: usize) -> Self {
        Self { index, at_ns: 0 }
    }
}

/// What the checker found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Linearizable.
    Ok,
    /// Not linearizable.
    Violation(Refuted),
    /// A limit was reached first.
    Unknown(Reached),
}

/// Why a history is not linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refuted {
    /// The part, as `Debug` prints it.
    pub part: String,
    /// The operation (index into the history) whose return nothing explained, where the longest
    /// explanation ended.
    pub op: usize,
    /// The operations of that longest explanation, in its order (indices into the history).
    pub explained: Vec<usize>,
    /// The state there, as `Debug` prints it.
    pub state: String,
}

/// A verdict, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The verdict.
    pub verdict: Verdict,
    /// Configurations visited.
    pub explored: u64,
    /// Independent parts.
    pub parts: usize,
}

/// Budget of the first turn of each part.
const FIRST_BUDGET: u64 = 1_000;

/// Checks a history. `limits.explored` bounds the configurations visited over all parts;
/// `limits.alive` is not used.
///
/// ```
/// use leasehold_testkit::check::Limits;
/// use leasehold_testkit::check::linear::{Moment, Recorded, Verdict, check};
/// use leasehold_testkit::model::{Register, RegisterOp, RegisterRet};
///
/// let op = |op, ret, from, to| Recorded {
///     op,
///     ret: Some(ret),
///     invoked: Moment::event(from),
///     closed: Some(Moment::event(to)),
/// };
/// let history = [
///     op(RegisterOp::Write(1), RegisterRet::Written, 0, 1),
///     op(RegisterOp::Read, RegisterRet::Value(0), 2, 3),
/// ];
/// let checked = check(&Register { initial: 0 }, &history, Limits::default());
/// assert!(matches!(checked.verdict, Verdict::Violation(_)));
/// ```
pub fn check<M: Model>(model: &M, history: &[Recorded<M::Op, M::Ret>], limits: Limits) -> Checked {
    let mut parts: BTreeMap<M::Part, Vec<usize>> = BTreeMap::new();
    for (index, recorded) in history.iter().enumerate() {
        parts.entry(model.part(&recorded.op)).or_default().push(index);
    }
    let count = parts.len();
    let mut racing: Vec<(String, Search<'_, M>)> = parts
        .into_iter()
        .map(|(part, ops)| (format!("{part:?}"), Search::new(model, history, ops)))
        .collect();
    racing.sort_by_key(|(_, search)| search.len());
    let (verdict, explored) = race(&mut racing, limits);
    Checked { verdict, explored, parts: count }
}

fn race<M: Model>(racing: &mut Vec<(String, Search<'_, M>)>, limits: Limits) -> (Verdict, u64) {
    let mut budget = FIRST_BUDGET;
    let mut explored = 0;
    while !racing.is_empty() {
        let mut running = Vec::with_capacity(racing.len());
        for (part, mut search) in racing.drain(..) {
            let left = limits.explored.saturating_sub(explored);
            if left == 0 {
                return (Verdict::Unknown(Reached::Explored(explored)), explored);
            }
            let before = search.explored();
            let progress = search.run(budget.min(left));
            explored += search.explored() - before;
            match progress {
                Progress::Explained => {}
                Progress::Refuted => return (Verdict::Violation(search.refuted(part)), explored),
                Progress::Running => running.push((part, search)),
            }
        }
        *racing = running;
        budget = budget.saturating_mul(2);
    }
    (Verdict::Ok, explored)
}
