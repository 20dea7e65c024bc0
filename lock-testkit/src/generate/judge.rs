//! The verdict on one run.

use std::fmt;

use super::execute::Stuck;
use crate::{
    check::{
        Reached,
        lock::{self, Impasse, Options, Verdict},
    },
    history::History,
};

/// What is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The lock checker found no explanation.
    Violation(Box<Impasse>),
    /// The lock checker gave up: no verdict, which is a failure of the check and not of the backend.
    Undecided(Reached),
    /// Clients wait for what never comes.
    Stuck(Stuck),
}

/// Checks a history; `None` if nothing is wrong with it.
#[must_use]
pub fn judge(history: &History, options: &Options) -> Option<Finding> {
    match lock::check(history, options).verdict {
        Verdict::Ok => None,
        Verdict::Violation(impasse) => Some(Finding::Violation(impasse)),
        Verdict::Unknown(reached) => Some(Finding::Undecided(reached)),
    }
}

impl Finding {
    /// Which check found it.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Violation(_) => "lock checker",
            Self::Undecided(_) => "nothing",
            Self::Stuck(_) => "stuck run",
        }
    }

    /// Whether the backend is certainly wrong.
    #[must_use]
    pub const fn is_violation(&self) -> bool {
        !matches!(self, Self::Undecided(_))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(impasse) => {
                let Impasse { keys, op, at_ns, states } = &**impasse;
                let at_us = at_ns / 1_000;
                write!(f, "operation {} on {} at {at_us} µs", op.0, keys.join(", "))?;
                f.write_str(" cannot have its outcome: ")?;
                match states.first() {
                    Some(state) => f.write_str(&state.failed),
                    None => f.write_str("no state is possible"),
                }
            }
            Self::Undecided(reached) => write!(f, "no verdict: {reached}"),
            Self::Stuck(stuck) => write!(f, "the run never ends: {stuck}"),
        }
    }
}
