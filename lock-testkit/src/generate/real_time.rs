//! Runs on a real server, in real time.

use std::sync::Arc;

use futures::future::join_all;
use leasehold::{LockBackend, Runtime};

use super::{
    network::Network,
    play::{Ids, Keys, Stage},
    program::Program,
    virtual_time::name,
};
use crate::{
    history::History,
    record::{Recorder, Recording},
};

/// Runs a program on a server and gives the recorded history. Client `n` uses the connection `n`, over and over if
/// they are fewer; nothing is settled, because what was sent may still arrive.
///
/// The keys get `prefix` in front, which must be new to the server, and the ids are fresh. A
/// [link](super::Link) of the program comes on top of the real one. All connections tell the time of
/// `runtime`.
///
/// # Errors
/// The prefix can't be part of a key.
pub async fn in_real_time(
    program: &Program,
    runtime: &Runtime,
    connections: &[Arc<dyn LockBackend>],
    prefix: &str,
) -> leasehold::Result<History> {
    let keys = Keys::with_prefix(prefix)?;
    let stage = Stage::new(program, &keys, Ids::random(runtime));
    let recording = Recording::new(runtime);
    let connect = |number: usize| {
        let connection = Arc::clone(&connections[number % connections.len()]);
        let name = name(number + 1);
        match program.link {
            None => erased(Recorder::over(connection, recording.clone(), name)),
            Some(link) => {
                let far = Network::new(connection, link, number as u64 + 1);
                erased(Recorder::over(far, recording.clone(), name))
            }
        }
    };
    if connections.is_empty() {
        return Ok(recording.history());
    }
    let backends: Vec<_> = (0..program.clients.len()).map(connect).collect();
    let client = |(number, backend)| stage.play(number, backend);
    join_all(backends.iter().map(|backend| &**backend).enumerate().map(client)).await;
    let auditor = Recorder::over(Arc::clone(&connections[0]), recording.clone(), "audit");
    stage.audit(&auditor).await;
    Ok(recording.history())
}

fn erased(backend: impl LockBackend) -> Box<dyn LockBackend> {
    Box::new(backend)
}
