//! Runs on a backend of this process, under a virtual clock.

use futures::future::BoxFuture;
use leasehold::{LockBackend, Runtime, VirtualClock};

use super::{
    execute::{Stuck, run_until_done},
    network::Network,
    play::{Ids, Keys, Stage},
    program::{Link, Program},
};
use crate::{
    history::History,
    record::{QueueProbe, Recorder, Recording},
};

/// The runtime on which [`on_virtual_time`] runs a program, and its clock: a backend for it is made on this runtime.
#[must_use]
pub fn virtual_runtime(program: &Program) -> (Runtime, VirtualClock) {
    Runtime::manual(program.link.map_or(0, |link| link.seed))
}

/// Runs a program on the backend that `start` makes, and gives the recorded history.
///
/// The backend must do all it does within the calls to it: nothing is spawned here.
///
/// # Errors
/// [`Stuck`] if clients wait for what never comes, with what was recorded until then.
pub fn on_virtual_time<B: LockBackend>(
    program: &Program,
    start: impl FnOnce(Runtime) -> B,
) -> Result<History, (Stuck, History)> {
    let (runtime, clock) = virtual_runtime(program);
    let recording = Recording::in_process(&runtime);
    let backend = QueueProbe::new(start(runtime), recording.clone());
    let direct = Recorder::over(backend, recording.clone(), "audit");
    match program.link {
        None => play(program, &clock, &direct, |name| Box::new(direct.client(name))),
        Some(link) => play(program, &clock, &direct, |name| behind(link, &direct, name)),
    }
    .map(|()| recording.history())
    .map_err(|stuck| (stuck, recording.history()))
}

/// The same backend behind a slow link, recorded in front of it.
fn behind<B: LockBackend>(
    link: Link,
    direct: &Recorder<QueueProbe<B>>,
    name: String,
) -> Box<dyn LockBackend> {
    let far = Network::new(direct.unrecorded(), link);
    Box::new(Recorder::over(far, direct.recording().clone(), name))
}

fn play(
    program: &Program,
    clock: &VirtualClock,
    auditor: &dyn LockBackend,
    connect: impl Fn(String) -> Box<dyn LockBackend>,
) -> Result<(), Stuck> {
    // A prefix of nothing can't be refused.
    let Ok(keys) = Keys::with_prefix("") else { return Ok(()) };
    let stage = Stage::new(program, &keys, Ids::FIXED);
    let names = (1..=program.clients.len()).map(|number| format!("c{number}"));
    let backends: Vec<_> = names.map(connect).collect();
    let mut tasks: Vec<BoxFuture<'_, ()>> = Vec::with_capacity(backends.len());
    for (number, backend) in backends.iter().enumerate() {
        tasks.push(Box::pin(stage.play(number, &**backend)));
    }
    run_until_done(clock, program.order, tasks)?;
    run_until_done(clock, 0, vec![Box::pin(stage.audit(auditor))])
}
