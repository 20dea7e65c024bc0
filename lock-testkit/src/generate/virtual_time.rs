//! Runs on a backend of this process, under a virtual clock.

use futures::future::BoxFuture;
use leasehold::{LockBackend, Runtime, VirtualClock};

use super::{
    judge::{Criteria, Finding, Ran},
    network::Network,
    play::{Ids, Keys, Stage},
    program::{Link, Program},
};
use crate::{
    check::invariants::Bounds,
    execute::{Stuck, run_until_done},
    history::History,
    record::{QueueProbe, Recorder, Recording},
};

/// The runtime on which [`on_virtual_time`] runs a program, and its clock: a backend for it is made on this runtime.
#[must_use]
pub fn virtual_runtime(program: &Program) -> (Runtime, VirtualClock) {
    Runtime::manual(program.link.map_or(0, |link| link.seed))
}

/// What a run of this program on virtual time is judged by: no slack, and no waiter beside a free key for longer
/// than its messages take.
#[must_use]
pub fn virtual_criteria(program: &Program) -> Criteria {
    let messages = program.link.map_or(0, |link| 2 * link.delay.as_nanos());
    let wake_within_ns = Some(u64::try_from(messages).unwrap_or(u64::MAX));
    Criteria { bounds: Bounds { wake_within_ns }, ..Criteria::default() }
}

/// Runs a program on the backend that `start` makes, and judges what was recorded.
///
/// The backend must do all it does within the calls to it: nothing is spawned here.
pub fn on_virtual_time<B: LockBackend>(program: &Program, start: impl FnOnce(Runtime) -> B) -> Ran {
    let (stuck, history) = record(program, start);
    match stuck {
        Some(stuck) => Ran { history, finding: Some(Finding::Stuck(stuck)) },
        None => virtual_criteria(program).judge(history),
    }
}

fn record<B: LockBackend>(
    program: &Program,
    start: impl FnOnce(Runtime) -> B,
) -> (Option<Stuck>, History) {
    let (runtime, clock) = virtual_runtime(program);
    let recording = Recording::in_process(&runtime);
    let backend = QueueProbe::new(start(runtime), recording.clone());
    let direct = Recorder::over(backend, recording.clone(), "audit");
    let played = match program.link {
        None => play(program, &clock, &direct, |client| Box::new(direct.client(name(client)))),
        Some(link) => play(program, &clock, &direct, |client| behind(link, &direct, client)),
    };
    (played.err(), recording.history())
}

/// The same backend behind a slow link, recorded in front of it.
fn behind<B: LockBackend>(
    link: Link,
    direct: &Recorder<QueueProbe<B>>,
    client: usize,
) -> Box<dyn LockBackend> {
    let far = Network::new(direct.unrecorded(), link, client as u64);
    Box::new(Recorder::over(far, direct.recording().clone(), name(client)))
}

/// The name of a client, counted from 1.
pub(super) fn name(client: usize) -> String {
    format!("c{client}")
}

fn play(
    program: &Program,
    clock: &VirtualClock,
    auditor: &dyn LockBackend,
    connect: impl Fn(usize) -> Box<dyn LockBackend>,
) -> Result<(), Stuck> {
    // A prefix of nothing can't be refused.
    let Ok(keys) = Keys::with_prefix("") else { return Ok(()) };
    let stage = Stage::new(program, &keys, Ids::Fixed);
    let backends: Vec<_> = (1..=program.clients.len()).map(connect).collect();
    let mut tasks: Vec<BoxFuture<'_, ()>> = Vec::with_capacity(backends.len());
    for (number, backend) in backends.iter().enumerate() {
        tasks.push(Box::pin(stage.play(number, &**backend)));
    }
    run_until_done(clock, program.order, tasks)?;
    run_until_done(clock, 0, vec![Box::pin(stage.audit(auditor))])
}
