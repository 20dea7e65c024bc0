//! One run of a subject.

use std::{
    any::Any,
    cell::RefCell,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use super::{Called, End, SimStore, Subject, ledger::Ledger};
use crate::sim::{Attempt, Choices, FaultPlan, Finding, Kinds, Node, Run, Sim};

/// Puts a [`Subject`] to the test: many clients on virtual time, first under faults, then with time to come to an end.
///
/// Everything about a run is decided by its seed.
///
/// ```
/// use leasehold::Locker;
/// use leasehold_testkit::{
///     harness::{End, Harness, SimStore, Subject},
///     sim::Node,
/// };
/// use proptest::strategy::{Just, Strategy};
///
/// /// The service: gives every number out once.
/// struct Tickets { locker: Locker, next: SimStore<u32> }
///
/// impl Tickets {
///     async fn draw(&self) -> Option<u32> {
///         let _lease = self.locker.acquire("tickets").await.ok()?;
///         let number = self.next.access("read", |next| *next).await;
///         self.next.access("write", |next| *next = number + 1).await;
///         Some(number)
///     }
/// }
///
/// struct Drawing;
///
/// impl Subject for Drawing {
///     type Store = u32;
///     type Service = Tickets;
///     type Op = ();
///     type Out = u32;
///
///     fn store(&self) -> u32 { 1 }
///     fn service(&self, node: &Node, next: SimStore<u32>) -> Tickets {
///         Tickets { locker: node.locker(), next }
///     }
///     fn operations(&self) -> impl Strategy<Value = ()> { Just(()) }
///     async fn call(tickets: &Tickets, (): ()) -> Option<u32> { tickets.draw().await }
///     fn holds(&self, end: &End<'_, Self>) -> Result<(), String> {
///         let mut seen = std::collections::BTreeSet::new();
///         let twice = end.outputs().find(|number| !seen.insert(**number));
///         twice.map_or(Ok(()), |number| Err(format!("{number} was given out twice")))
///     }
/// }
///
/// let failure = Harness::new(Drawing).hunt(0, 1_000).failure.expect("the lease can end before the write");
/// assert_eq!((failure.after.faults, failure.after.operations), (1, 2));
/// println!("{failure}");
/// ```
#[derive(Debug)]
pub struct Harness<S> {
    pub(super) subject: Arc<S>,
    sim: Sim,
    pub(super) clients: u32,
    pub(super) operations: usize,
    pub(super) kinds: Kinds,
    pub(super) faults: usize,
    pub(super) command: String,
}

/// What a run is made of: written by hand, or by [`Harness::case`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case<Op> {
    /// The seed: of the schedule, the delays, the lease ids and the jitter.
    pub seed: u64,
    /// What goes wrong.
    pub plan: FaultPlan,
    /// What is chosen; by the seed if this is `None`.
    pub choices: Option<Choices>,
    /// What each client asks, one after the other. There may be fewer programs than clients.
    pub programs: Vec<Vec<Op>>,
}

/// A run of a subject, and what came of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Tried<Op, Out> {
    /// The run, with everything that is wrong with it.
    pub run: Run,
    /// What was asked and answered.
    pub calls: Vec<Called<Op, Out>>,
}

/// What came of a run of this subject.
pub(super) type TriedOf<S> = Tried<<S as Subject>::Op, <S as Subject>::Out>;

impl<S: Subject> Harness<S> {
    /// Three clients with up to three operations each, and plans of up to three faults of all kinds.
    #[must_use]
    pub fn new(subject: S) -> Self {
        Self {
            subject: Arc::new(subject),
            sim: Sim::new(0),
            clients: 3,
            operations: 3,
            kinds: Kinds::All,
            faults: 3,
            command: "harness.hunt({seed}, 1)".to_owned(),
        }
    }

    /// How many clients, from 1 to 1000.
    #[must_use]
    pub fn clients(mut self, clients: u32) -> Self {
        self.clients = clients.clamp(1, 1_000);
        self
    }

    /// How many operations each client has at the most; at least 1.
    #[must_use]
    pub fn operations(mut self, most: usize) -> Self {
        self.operations = most.max(1);
        self
    }

    /// Which faults happen. All of them unless set: also those that take the lease from its holder, such as a server that
    /// loses its data, which only a fenced resource stands.
    #[must_use]
    pub const fn kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// How many faults a plan has at the most.
    #[must_use]
    pub const fn faults(mut self, most: usize) -> Self {
        self.faults = most;
        self
    }

    /// The settings of the simulation: its ttl, latency, backend and so on. Its seed, plan, choices and number of clients
    /// are the harness's.
    #[must_use]
    pub fn simulation(mut self, sim: Sim) -> Self {
        self.sim = sim;
        self
    }

    /// The command that reports name for having a run again, with `{seed}` where the seed belongs.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        self
    }

    /// Has a run, and judges it.
    pub fn run(&self, case: &Case<S::Op>) -> Tried<S::Op, S::Out> {
        let store = Arc::new(Mutex::new(self.subject.store()));
        let ledger = Arc::new(Ledger::new(&case.programs));
        let Case { seed, plan, choices, .. } = case.clone();
        let sim = self.sim.clone().clients(self.clients);
        let mut run = sim.attempt(&Attempt { seed, plan, choices }).run(|node| {
            serve(Arc::clone(&self.subject), node, Arc::clone(&store), Arc::clone(&ledger))
        });
        let calls = ledger.take();
        let store = store.lock().unwrap_or_else(PoisonError::into_inner);
        self.judge(&mut run, &store, &calls);
        Tried { run, calls }
    }

    fn judge(&self, run: &mut Run, store: &S::Store, calls: &[Called<S::Op, S::Out>]) {
        let end = End { store, calls, undecided: RefCell::new(None) };
        let judged = catch_unwind(AssertUnwindSafe(|| self.subject.holds(&end)));
        let judged = judged.unwrap_or_else(|panic| Err(words(&*panic)));
        if let Err(sentence) = judged {
            run.findings.push(Finding::Failed(sentence));
        }
        if let Some(reached) = end.undecided.into_inner() {
            run.undecided.get_or_insert(reached);
        }
    }
}

/// What a client does in one of its lives.
async fn serve<S: Subject>(
    subject: Arc<S>,
    node: Node,
    store: Arc<Mutex<S::Store>>,
    ledger: Arc<Ledger<S::Op, S::Out>>,
) {
    let service = subject.service(&node, SimStore::new(node.clone(), store));
    while let Some((number, op)) = ledger.begin(&node) {
        node.say(format!("asks {op:?}"));
        let out = S::call(&service, op.clone()).await;
        node.say(match &out {
            Some(out) => format!("has the answer {out:?} to {op:?}"),
            None => format!("has no answer to {op:?}"),
        });
        ledger.end(number, out, &node);
    }
}

/// What a panic said, if it said it in words.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "the judgement panicked".to_owned())
}

impl<Op: fmt::Debug> fmt::Display for Case<Op> {
    /// The plan, then what each client asks, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan: {}", self.plan)?;
        for (client, program) in (1..).zip(&self.programs) {
            if !program.is_empty() {
                let asks: Vec<_> = program.iter().map(|op| format!("{op:?}")).collect();
                write!(f, "\nclient {client} asks: {}", asks.join(", "))?;
            }
        }
        Ok(())
    }
}
