//! What came of a run.

use std::{fmt, sync::Arc};

use super::{Choices, FaultPlan, Trace};
use crate::{generate, history::History};

/// A run, and what is wrong with it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Run {
    /// What the clients asked and were answered, in true time, in front of the network: for people and reports.
    pub history: History,
    /// What the server was asked and answered, behind the network: what the lock checker judges. It ends at a
    /// failover and where the server's clock is set back: both bring ended leases back to life.
    pub server: History,
    /// What went wrong on purpose, in order.
    pub faults: Vec<FaultNote>,
    /// Everything that happened.
    pub trace: Trace,
    /// What is wrong, the first thing first.
    pub findings: Vec<Finding>,
    /// Why a check came to no verdict, if one did not.
    pub undecided: Option<String>,
    /// How to have this run again.
    pub replay: SimReplay,
    /// When it ended, in nanoseconds.
    pub ended_ns: u64,
}

impl Run {
    /// What is wrong first.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.findings.first()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Everything that a run was made from: the seed of its randomness, what went wrong, and what was chosen.
///
/// Its text is what a report prints and [`Sim::again`](super::Sim::again) takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SimReplay {
    /// The seed: lease ids and jitter come from it.
    pub seed: u64,
    /// What goes wrong.
    pub plan: FaultPlan,
    /// Every choice.
    pub choices: Choices,
}

impl fmt::Display for SimReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} / {} / {}", self.seed, self.plan, self.choices)
    }
}

impl std::str::FromStr for SimReplay {
    type Err = ParseReplayError;

    fn from_str(text: &str) -> Result<Self, ParseReplayError> {
        let parts: Vec<&str> = text.split('/').map(str::trim).collect();
        let [seed, plan, choices] = parts[..] else { return Err(ParseReplayError::Parts) };
        let seed = seed.strip_prefix("seed ").and_then(|seed| seed.trim().parse().ok());
        Ok(Self {
            seed: seed.ok_or(ParseReplayError::Seed)?,
            plan: plan.parse()?,
            choices: choices.parse()?,
        })
    }
}

/// A text that is no [`SimReplay`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseReplayError {
    /// It has other parts.
    #[error("no replay: `seed NUMBER / PLAN / CHOICES` is expected")]
    Parts,
    /// The seed is missing, or no number.
    #[error("no replay: `seed` and a number are expected first")]
    Seed,
    /// The plan is wrong.
    #[error(transparent)]
    Plan(#[from] super::ParsePlanError),
    /// The choices are wrong.
    #[error(transparent)]
    Choices(#[from] super::ParseChoicesError),
}

/// A fault that happened, for a report to shade.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FaultNote {
    /// From when, in nanoseconds of true time.
    pub from_ns: u64,
    /// Until when; the same if it is a moment, `u64::MAX` if it never ended.
    pub to_ns: u64,
    /// Whom it struck, from 1; `None` for the server, or for everybody.
    pub client: Option<u32>,
    /// What it was, in the words of the plan.
    pub words: Arc<str>,
}

/// Something that is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The server's answers contradict the specification.
    Backend(generate::Finding),
    /// G3: a client believed in a lease that the server had ended.
    NotHeld {
        /// Who, from 1.
        client: u32,
        /// The key.
        key: String,
        /// The lease's token.
        token: u64,
        /// When, in nanoseconds.
        at_ns: u64,
    },
    /// Two clients believed to hold one key alone.
    TwoHolders {
        /// The key.
        key: String,
        /// Who, in the order of their tokens.
        clients: (u32, u32),
        /// Their tokens.
        tokens: (u64, u64),
        /// When the second began to, in nanoseconds.
        at_ns: u64,
    },
    /// G5: a lease stayed behind though its client lives and nobody uses it, and no message about it was lost or came twice.
    Orphan {
        /// Whose, from 1.
        client: u32,
        /// The key.
        key: String,
        /// Its token.
        token: u64,
    },
    /// Nothing went wrong any more, but these clients did not come to their ends in the time that they had.
    Stuck {
        /// Who, from 1.
        clients: Vec<u32>,
        /// When they were given up, in nanoseconds.
        at_ns: u64,
    },
    /// These clients wait, and nothing in the simulation will ever wake them.
    Foreign {
        /// Who, from 1.
        clients: Vec<u32>,
        /// When, in nanoseconds.
        at_ns: u64,
    },
    /// Another thread took part: such a run can't be repeated.
    Thread,
    /// The code of a client panicked.
    Panicked {
        /// Who, from 1.
        client: u32,
        /// What it said.
        message: String,
    },
    /// The code of a client, or an invariant of the user, says so.
    Failed(String),
}

impl Finding {
    /// Which check found it, in a word or two; two runs with the same word have the same flaw, as far as one can tell.
    #[must_use]
    pub fn check(&self) -> String {
        match self {
            Self::Backend(finding) => finding.check(),
            Self::NotHeld { .. } => "validity".to_owned(),
            Self::TwoHolders { .. } => "two holders".to_owned(),
            Self::Orphan { .. } => "orphan".to_owned(),
            Self::Stuck { .. } => "stuck".to_owned(),
            Self::Foreign { .. } | Self::Thread => "foreign".to_owned(),
            Self::Panicked { .. } => "panic".to_owned(),
            Self::Failed(_) => "failed".to_owned(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend(finding) => write!(f, "the backend: {finding}"),
            Self::NotHeld { client, key, token, at_ns } => write!(
                f,
                "G3 client {client} believed to hold {key:?} by token {token} at {at_ns} ns, but the server had ended it"
            ),
            Self::TwoHolders { key, clients: (one, other), tokens: (old, new), at_ns } => write!(
                f,
                "G1 clients {one} and {other} both believed to hold {key:?} alone at {at_ns} ns, by tokens {old} and {new}"
            ),
            Self::Orphan { client, key, token } => write!(
                f,
                "G5 {key:?} is still held by token {token} of client {client}, which is done and told nobody"
            ),
            Self::Stuck { clients, at_ns } => write!(
                f,
                "G7 nothing goes wrong any more, but {} did not end by {at_ns} ns",
                names(clients)
            ),
            Self::Foreign { clients, at_ns } => write!(
                f,
                "{} waits at {at_ns} ns for something outside the simulation, which will never come: take time, tasks and \
                 randomness from the node's `Runtime`, not from tokio or the operating system",
                names(clients)
            ),
            Self::Thread => f.write_str(
                "another thread woke a task: a run with threads can't be repeated; start tasks with the node's `Runtime`",
            ),
            Self::Panicked { client, message } => {
                write!(f, "client {client} panicked: {message}")?;
                if message.contains("there is no reactor running") {
                    f.write_str(" (take time and tasks from the node's `Runtime`, not from tokio)")?;
                }
                Ok(())
            }
            Self::Failed(sentence) => f.write_str(sentence),
        }
    }
}

fn names(clients: &[u32]) -> String {
    let numbers: Vec<_> = clients.iter().map(u32::to_string).collect();
    match &numbers[..] {
        [one] => format!("client {one}"),
        many => format!("each of the clients {}", many.join(", ")),
    }
}
