//! What happened in a run, step by step.

use std::{fmt, sync::Arc, time::Duration};

use super::plan::Operation;

/// Everything that a run decided and did, in order. Two runs with one seed have the same trace, byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Trace(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Line {
    at_ns: u64,
    step: Step,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Begins { client: u32, life: u32 },
    Ends { client: u32 },
    Sends { client: u32, call: u64, operation: Operation },
    Arrives { call: u64 },
    Answers { call: u64 },
    Hears { client: u32, call: u64, token: Option<u64> },
    Lost { call: u64 },
    Broken { call: u64 },
    Point { client: u32, name: Arc<str> },
    Fault(Arc<str>),
    Over(Arc<str>),
    Calm,
    Words { client: u32, words: Arc<str> },
}

impl Trace {
    pub(super) fn add(&mut self, at_ns: u64, step: Step) {
        self.0.push(Line { at_ns, step });
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { at_ns, step } in &self.0 {
            writeln!(f, "{:?} {step}", Duration::from_nanos(*at_ns))?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begins { client, life } => write!(f, "client {client} begins, life {life}"),
            Self::Ends { client } => write!(f, "client {client} ends"),
            Self::Sends { client, call, operation } => {
                write!(f, "client {client} sends {} #{call}", operation.word())
            }
            Self::Arrives { call } => write!(f, "server receives #{call}"),
            Self::Answers { call } => write!(f, "server answers #{call}"),
            Self::Hears { client, call, token: Some(token) } => {
                write!(f, "client {client} is granted token {token} by #{call}")
            }
            Self::Hears { client, call, token: None } => {
                write!(f, "client {client} is answered #{call}")
            }
            Self::Lost { call } => write!(f, "a message of #{call} is lost"),
            Self::Broken { call } => write!(f, "the connection of #{call} breaks"),
            Self::Point { client, name } => write!(f, "client {client} before {name}"),
            Self::Fault(what) => write!(f, "fault: {what}"),
            Self::Over(what) => write!(f, "over: {what}"),
            Self::Calm => f.write_str("calm"),
            Self::Words { client, words } => write!(f, "client {client}: {words}"),
        }
    }
}
