//! Other libraries: crates behind the feature `peers`, and programs in other languages where those are installed.

#[cfg(feature = "peers")]
mod crates;
mod program;
#[cfg(feature = "peers")]
mod setup;

use std::sync::Arc;

pub(crate) use program::Program;

use crate::{Outcome, acquire::Pairs, grants::Turns};

/// Another library.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// How many times as many pairs ours should do.
    pub(crate) times: f64,
    #[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "said, but not run"))]
    kind: Kind,
}

#[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "said, but not run"))]
enum Kind {
    Rslock,
    DistributedLock,
    /// A script for node, and the packages that it needs.
    Node(&'static str, &'static [&'static str]),
    /// A script for Python, and the packages that it needs.
    Python(&'static str, &'static [&'static str]),
    Go,
}

/// A peer that runs.
#[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "none does"))]
pub(crate) enum Started {
    Here(Arc<dyn Pairs>),
    Program(Box<Program>),
}

/// All of them, with what to reach. Those without a fence have less to do.
pub(crate) const ALL: &[Peer] = &[
    Peer { name: "rslock", times: 1.0, kind: Kind::Rslock },
    Peer { name: "distributed-lock", times: 1.5, kind: Kind::DistributedLock },
    Peer {
        name: "node redlock",
        times: 3.0,
        kind: Kind::Node("redlock.js", &["ioredis@5.11.1", "redlock@4.2.0"]),
    },
    Peer {
        name: "node redis-semaphore",
        times: 3.0,
        kind: Kind::Node("redis-semaphore.js", &["ioredis@5.11.1", "redis-semaphore@5.8.0"]),
    },
    Peer { name: "redis-py", times: 3.0, kind: Kind::Python("redis-py.py", &["redis==8.1.0"]) },
    Peer { name: "Go rueidislock", times: 2.0, kind: Kind::Go },
    Peer { name: "Go redsync", times: 3.0, kind: Kind::Go },
];

impl Peer {
    /// Makes it ready for this many tasks; the error says what it lacks.
    #[cfg(feature = "peers")]
    pub(crate) async fn start(&self, url: &str, tasks: usize) -> Outcome<Started> {
        Ok(match &self.kind {
            Kind::Rslock => Started::Here(crates::rslock(url) as Arc<dyn Pairs>),
            Kind::DistributedLock => Started::Here(crates::distributed_lock(url).await?),
            Kind::Node(script, packages) => {
                let node = setup::node(packages)?;
                Started::Program(Box::new(Program::start(
                    node,
                    &setup::script(script),
                    url,
                    tasks,
                )?))
            }
            Kind::Python(script, packages) => {
                let python = setup::python(packages)?;
                Started::Program(Box::new(Program::start(
                    python,
                    &setup::script(script),
                    url,
                    tasks,
                )?))
            }
            Kind::Go => return Err("these need Go, and no program is written for it".into()),
        })
    }

    /// None is there.
    #[cfg(not(feature = "peers"))]
    #[expect(clippy::unused_async, reason = "with the feature it is")]
    pub(crate) async fn start(&self, _url: &str, _tasks: usize) -> Outcome<Started> {
        Err("feature `peers`".into())
    }
}

/// Two clients of rslock, which try again after up to 200 ms, as they do by default.
#[cfg(feature = "peers")]
pub(crate) fn waiting_rslock(url: &str) -> Option<[Arc<dyn Turns>; 2]> {
    Some([crates::rslock(url) as Arc<dyn Turns>, crates::rslock(url)])
}

/// None is there.
#[cfg(not(feature = "peers"))]
pub(crate) fn waiting_rslock(_url: &str) -> Option<[Arc<dyn Turns>; 2]> {
    None
}
