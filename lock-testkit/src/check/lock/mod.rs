//! The lock checker: an exact streaming search over what the backend's state may have been.
//!
//! The events of a history are read in order. After each, the checker holds every state that the
//! backend may be in, together with which of the open operations have taken effect; the ends of leases
//! and the instant "now" are kept as a zone (bounds on differences), so one algorithm serves exact and
//! uncertain time. When an operation returns and no possibility explains its outcome, the history is
//! a violation. The cost depends on how much is open at once, not on the length of the history.
//!
//! Three reductions keep it small, and none of them changes a verdict. Outcomes that change nothing in any state
//! (`held`, `lost`, …) are taken as soon as they fit. Tokens only grow, so of the tokens that answers
//! show the smallest outstanding one is granted next. Unknown acquires that ask for the same
//! are used in order, and a possibility that used up more than another is dropped.
//!
//! What a waiting acquire may do on a server only (lose a grant before it hears of it, and queue again) is followed where
//! the search fails without it.
//!
//! Keys are checked apart, unless a request for several keys connects them.

mod config;
mod ends;
mod explain;
mod guards;
mod moves;
mod open;
mod part;
mod prepare;
mod run;
mod table;
mod unseen;
mod zone;

pub use explain::{Impasse, Possible, PossibleLease};

use self::config::Slots;
use self::part::Part;
use self::run::{Search, Stop};
use super::{Limits, Reached};
use crate::history::History;
use crate::model::lock::{Policy, Slack};

/// How a history is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How the backend's clock may differ from the recorder's.
    pub slack: Slack,
    /// What the backend promises.
    pub policy: Policy,
    /// How much may be explored.
    pub limits: Limits,
}

/// What the checker found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The specification allows the history.
    Ok,
    /// It does not, and this is where every explanation ended.
    Violation(Box<Impasse>),
    /// A limit was reached first.
    Unknown(Reached),
}

impl Verdict {
    /// Whether the history is allowed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        *self == Self::Ok
    }

    /// Whether the history is certainly not allowed.
    #[must_use]
    pub fn is_violation(&self) -> bool {
        matches!(self, Self::Violation(_))
    }

    /// `ok`, `violation` or `unknown`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Violation(_) => "violation",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// A verdict, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The verdict. A violation of one key outweighs an unfinished search on another.
    pub verdict: Verdict,
    /// Configurations made.
    pub explored: u64,
    /// The most configurations alive at once.
    pub widest: usize,
    /// Independent parts.
    pub parts: usize,
}

/// Checks a history against the specification of leases.
///
/// ```
/// use leasehold_testkit::check::lock::{Options, check};
/// use leasehold_testkit::history::{Call, HistoryBuilder, LeaseRequest, Outcome};
///
/// let mut history = HistoryBuilder::new();
/// for (client, token) in [("c1", 1), ("c2", 2)] {
///     let request = LeaseRequest::exclusive(format!("{client}.1"), "orders/42", 1_000);
///     let op = history.invoke(0, client, Call::TryAcquire(request))?;
///     history.returned(0, op, Outcome::Granted { token, ttl_ns: 1_000 })?;
/// }
/// assert!(check(&history.finish(), &Options::default()).verdict.is_violation());
/// # Ok::<(), leasehold_testkit::history::HistoryError>(())
/// ```
#[must_use]
pub fn check(history: &History, options: &Options) -> Checked {
    let mut parts = prepare::parts(history, options);
    let mut checked = Checked { verdict: Verdict::Ok, explored: 0, widest: 0, parts: parts.len() };
    for part in &mut parts {
        let verdict = check_part(part, options, &mut checked);
        match verdict {
            Verdict::Violation(_) => {
                checked.verdict = verdict;
                return checked;
            }
            Verdict::Unknown(_) => checked.verdict = verdict,
            Verdict::Ok => {}
        }
    }
    checked
}

fn check_part(part: &mut Part, options: &Options, checked: &mut Checked) -> Verdict {
    let mut reach = part.longest();
    loop {
        let verdict = judge(part, options, checked);
        let Verdict::Violation(impasse) = &verdict else { return verdict };
        let at = i64::try_from(impasse.at_ns).unwrap_or(i64::MAX);
        if options.slack.is_exact() || !part.widen(at, &mut reach) {
            return verdict;
        }
    }
}

fn judge(part: &Part, options: &Options, checked: &mut Checked) -> Verdict {
    match part.width {
        width if width <= Slots::<1>::CAPACITY => search::<1>(part, options, checked),
        width if width <= Slots::<4>::CAPACITY => search::<4>(part, options, checked),
        width if width <= Slots::<64>::CAPACITY => search::<64>(part, options, checked),
        width => Verdict::Unknown(Reached::Open(width)),
    }
}

fn search<const W: usize>(part: &Part, options: &Options, checked: &mut Checked) -> Verdict {
    let mut search = Search::<W>::new(part, options);
    let outcome = search.run();
    checked.explored += search.explored;
    checked.widest = checked.widest.max(search.widest);
    match outcome {
        Ok(()) => Verdict::Ok,
        Err(Stop::Violation(impasse)) => Verdict::Violation(impasse),
        Err(Stop::Limit(reached)) => Verdict::Unknown(reached),
    }
}
