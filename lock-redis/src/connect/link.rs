//! One connection, shared by all who use its lane.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use leasehold::{Error, Result};
use redis::{Cmd, RedisError, ServerErrorKind, Value, aio::MultiplexedConnection};

use super::{epoch::Epoch, server::Server};
use crate::{
    error,
    scripts::{Op, Scripts},
};

/// So many commands in a row without an answer, and the connection is given up: the network may swallow it all.
const TIMEOUTS_BEFORE_REPLACED: u32 = 2;

/// A multiplexed connection. Clones share it; commands go out in the order in which they were handed over.
#[derive(Clone)]
pub(crate) struct Link {
    connection: MultiplexedConnection,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    broken: AtomicBool,
    timeouts: AtomicU32,
    server: Server,
    scripts: Arc<Scripts>,
    epoch: Mutex<Arc<Epoch>>,
}

impl Link {
    pub(super) fn new(
        connection: MultiplexedConnection,
        server: Server,
        scripts: Arc<Scripts>,
        epoch: Epoch,
    ) -> Self {
        let state = State {
            broken: AtomicBool::new(false),
            timeouts: AtomicU32::new(0),
            server,
            scripts,
            epoch: Mutex::new(Arc::new(epoch)),
        };
        Self { connection, state: Arc::new(state) }
    }

    /// In which epoch this connection's server is, as far as we know.
    pub(crate) fn epoch(&self) -> Arc<Epoch> {
        Arc::clone(&self.state.epoch.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// It is in another one.
    pub(super) fn set_epoch(&self, epoch: Epoch) {
        let mut known = self.state.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(epoch);
    }

    pub(super) fn connection(&mut self) -> &mut MultiplexedConnection {
        &mut self.connection
    }

    /// Whether it is to be replaced.
    pub(super) fn is_broken(&self) -> bool {
        self.state.broken.load(Ordering::Acquire)
    }

    /// Runs a script by its digest, and once by its text if the server does not know it (and so ran nothing).
    pub(crate) async fn run(
        &mut self,
        op: Op,
        keys: &[String],
        args: &[&[u8]],
    ) -> Result<Value, Error> {
        let scripts = Arc::clone(&self.state.scripts);
        let script = scripts.get(op);
        let by_digest = call("EVALSHA", script.sha(), keys, args);
        match self.send(&by_digest).await {
            Err(error) if error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript) => {
                let by_text = call("EVAL", script.source(), keys, args);
                self.send(&by_text).await
            }
            other => other,
        }
        .map_err(error::command)
    }

    /// Runs a command that changes nothing.
    pub(crate) async fn command(&mut self, command: &Cmd) -> Result<Value, Error> {
        self.send(command).await.map_err(error::command)
    }

    async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        let answer = command.query_async(&mut self.connection).await;
        match &answer {
            Ok(_) => self.state.answered(),
            Err(error) => {
                self.state.failed(error);
                self.epoch().doubt();
            }
        }
        answer
    }
}

impl State {
    fn answered(&self) {
        if self.timeouts.load(Ordering::Relaxed) > 0 {
            self.timeouts.store(0, Ordering::Relaxed);
        }
    }

    fn failed(&self, error: &RedisError) {
        let dead = if error.is_timeout() {
            self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS_BEFORE_REPLACED
        } else {
            // A replica now: the primary is elsewhere, and connecting anew may find it.
            error.is_io_error() || error.code() == Some("READONLY")
        };
        if dead {
            self.broken.store(true, Ordering::Release);
        }
    }
}

fn call(command: &str, script: &str, keys: &[String], args: &[&[u8]]) -> Cmd {
    let words = keys.iter().map(String::len).chain(args.iter().map(|arg| arg.len()));
    let size = command.len() + script.len() + 4 + words.sum::<usize>();
    let mut cmd = Cmd::with_capacity(3 + keys.len() + args.len(), size);
    cmd.arg(command).arg(script).arg(keys.len());
    for key in keys {
        cmd.arg(key);
    }
    for arg in args {
        cmd.arg(*arg);
    }
    cmd
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("broken", &self.is_broken())
            .field("server", &self.state.server)
            .finish_non_exhaustive()
    }
}
