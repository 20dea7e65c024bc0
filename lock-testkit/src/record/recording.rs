//! The history in the making, shared by all handles.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use leasehold::{LeaseId, Runtime};

use crate::history::{Call, History, HistoryBuilder, OpId, Outcome};

/// The largest time that a history can carry.
const LATEST_NS: u64 = u64::MAX / 8;

/// A history in the making. Cloning is cheap, and clones are the same recording.
///
/// Times are those of one clock, that of the [`Runtime`] it was made with. Lease ids never appear in a
/// history: each gets a short name, such as `c1.3` for the third id that client `c1` brought up.
#[derive(Clone)]
pub struct Recording(Arc<Shared>);

struct Shared {
    runtime: Runtime,
    /// Whether a call has done all it ever will as soon as it returned or was dropped.
    in_process: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    builder: HistoryBuilder,
    last_ns: u64,
    names: BTreeMap<LeaseId, Arc<str>>,
    named: BTreeMap<Arc<str>, usize>,
    /// Operations whose effect is unknown and which may still take effect, with their clients.
    unsettled: BTreeMap<OpId, Arc<str>>,
    /// Waiting acquires that are open and not yet known to stand in the queue.
    arriving: BTreeMap<LeaseId, Vec<OpId>>,
}

impl Recording {
    /// An empty recording on this runtime's clock, of a backend that may act on a call after it was dropped or
    /// answered with an unknown effect: any that talks to a server.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self::with(runtime, false)
    }

    /// As [`new`](Self::new), of a backend that lives in this process: once a call is dropped or answered, it has
    /// done what it will ever do, so it is settled at once.
    #[must_use]
    pub fn in_process(runtime: &Runtime) -> Self {
        Self::with(runtime, true)
    }

    fn with(runtime: &Runtime, in_process: bool) -> Self {
        let runtime = runtime.clone();
        Self(Arc::new(Shared { runtime, in_process, state: Mutex::default() }))
    }

    /// What was recorded so far. Calls in flight are open in it.
    #[must_use]
    pub fn history(&self) -> History {
        self.state().builder.clone().finish()
    }

    /// Nothing that this client was left in doubt about can take effect any more: its connections are
    /// closed and the server has forgotten them.
    ///
    /// Calls that are still in flight are not touched.
    pub fn settle(&self, client: &str) {
        let mut state = self.state();
        let ops: Vec<OpId> =
            state.unsettled.iter().filter(|(_, of)| &***of == client).map(|(op, _)| *op).collect();
        for op in ops {
            self.settle_one(&mut state, op);
        }
    }

    /// The waiting acquire of this id is now certainly in the queue of its key. Whoever can see the
    /// queue says so; without it the order of waiters (G6) can't be judged.
    pub fn enqueued(&self, id: LeaseId) {
        let mut state = self.state();
        let Some(ops) = state.arriving.remove(&id) else { return };
        let at_ns = self.now(&mut state);
        for op in ops {
            let _noted = state.builder.enqueued(at_ns, op);
        }
    }

    /// The name of this id in the history.
    pub(super) fn name(&self, client: &Arc<str>, id: LeaseId) -> Arc<str> {
        let mut state = self.state();
        if let Some(name) = state.names.get(&id) {
            return Arc::clone(name);
        }
        let count = state.named.entry(Arc::clone(client)).or_default();
        *count += 1;
        let name: Arc<str> = Arc::from(format!("{client}.{count}"));
        state.names.insert(id, Arc::clone(&name));
        name
    }

    /// A call begins. `None` if it is not one that a history can have.
    pub(super) fn invoke(
        &self,
        client: &Arc<str>,
        waits_as: Option<LeaseId>,
        call: Call,
    ) -> Option<OpId> {
        let mut state = self.state();
        let at_ns = self.now(&mut state);
        let op = state.builder.invoke(at_ns, Arc::clone(client), call).ok()?;
        state.unsettled.insert(op, Arc::clone(client));
        if let Some(id) = waits_as {
            state.arriving.entry(id).or_default().push(op);
        }
        Some(op)
    }

    /// A call was answered.
    pub(super) fn returned(&self, op: OpId, waits_as: Option<LeaseId>, outcome: Outcome) {
        let mut state = self.state();
        state.arrived(op, waits_as);
        let at_ns = self.now(&mut state);
        let unknown = outcome.is_unknown();
        let _noted = state.builder.returned(at_ns, op, outcome);
        if !unknown {
            state.unsettled.remove(&op);
        } else if self.0.in_process {
            self.settle_one(&mut state, op);
        }
    }

    /// A call was dropped before it was answered.
    pub(super) fn dropped(&self, op: OpId, waits_as: Option<LeaseId>) {
        let mut state = self.state();
        state.arrived(op, waits_as);
        if self.0.in_process {
            self.settle_one(&mut state, op);
        }
    }

    fn settle_one(&self, state: &mut State, op: OpId) {
        let at_ns = self.now(state);
        let _noted = state.builder.settled(at_ns, op);
        state.unsettled.remove(&op);
    }

    /// The time, taken under the recording's lock, so that it never runs back along the events.
    fn now(&self, state: &mut State) -> u64 {
        let now = self.0.runtime.now().as_nanos().min(LATEST_NS);
        state.last_ns = state.last_ns.max(now);
        state.last_ns
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The call is over, so it will not stand in a queue any more.
    fn arrived(&mut self, op: OpId, waits_as: Option<LeaseId>) {
        let Some(id) = waits_as else { return };
        if let Some(ops) = self.arriving.get_mut(&id) {
            ops.retain(|other| *other != op);
            if ops.is_empty() {
                self.arriving.remove(&id);
            }
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self.state().builder.clone().finish().len();
        f.debug_struct("Recording").field("operations", &operations).finish_non_exhaustive()
    }
}
