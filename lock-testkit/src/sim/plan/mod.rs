//! Fault plans: what goes wrong in a run, and when, as a value.

mod read;
mod span;
mod strategy;
mod write;

pub use read::ParsePlanError;
pub use span::Span;
pub use strategy::{Kinds, plans};

/// What goes wrong in a run: an ordered list of faults, each of which happens once.
///
/// A plan is data: made at random by [`plans`], shrunk by proptest, or written by hand, a fault on a line or between
/// semicolons, with comments after `#`:
///
/// ```
/// use leasehold_testkit::sim::FaultPlan;
///
/// let plan: FaultPlan = "
///     pause holder for 2 ttl before write      # between its check and its write
///     lose reply of renewal 2 of client 1
///     partition client 1 for 3s at 2s
///     restart server without data for 100ms at 5s
///     step clock of client 2 by -1s after grant 3
/// ".parse()?;
/// assert_eq!(plan.faults.len(), 5);
/// assert_eq!(plan.to_string().parse::<FaultPlan>()?, plan);
///
/// let wrong = "pause holder for 2 parsecs".parse::<FaultPlan>().unwrap_err();
/// assert_eq!(
///     wrong.to_string(),
///     "no fault plan: line 1, column 20: `ns`, `us`, `ms`, `s` or `ttl` is expected, not `parsecs`"
/// );
/// # Ok::<(), leasehold_testkit::sim::ParsePlanError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultPlan {
    /// The faults. Those of one instant happen in this order.
    pub faults: Vec<Fault>,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { faults: Vec::new() };

    /// Whether nothing goes wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One thing that goes wrong, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What.
    pub action: Action,
    /// When.
    pub when: Trigger,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `pause WHO for SPAN`: its tasks are not run, its timers fire late, what is sent to it waits.
    Pause {
        /// Who stands still.
        who: Who,
        /// For how long.
        span: Span,
    },
    /// `crash WHO [for SPAN]`: its tasks are gone, and nothing that they would send on their way out leaves the machine.
    /// After the span its body is started anew; without one it stays down.
    Crash {
        /// Which client; of the server say [`Restart`](Self::Restart).
        who: Who,
        /// How long it is down.
        down: Option<Span>,
    },
    /// `partition WHO for SPAN`: nothing is delivered between it and the server. When it heals, calls whose
    /// messages were lost are told that the connection is gone.
    Partition {
        /// Who is cut off.
        who: Who,
        /// For how long.
        span: Span,
    },
    /// `lose | delay … by SPAN | reorder … by SPAN | duplicate … by SPAN`, of one message: the one that the
    /// trigger is about, which is [`Trigger::Message`].
    Message {
        /// There or back.
        leg: Leg,
        /// What happens to it.
        change: Change,
    },
    /// `restart server with data | without data [for SPAN]`: every connection breaks, every waiter's call fails.
    Restart {
        /// Whether it still knows the leases afterwards.
        data: bool,
        /// How long it is down.
        down: Span,
    },
    /// `failover server losing N operations [for SPAN]`: a copy takes over that has not seen the last writes.
    Failover {
        /// How many of the last operations that may have changed something are lost.
        lost: u32,
        /// How long nobody answers.
        down: Span,
    },
    /// `step clock of WHO by [+|-]SPAN`: the wall clock is set. Lease arithmetic of a client must not notice; that of the server does.
    Step {
        /// Whose.
        who: Who,
        /// Forward or back.
        back: bool,
        /// By how much.
        by: Span,
    },
    /// `skew clock of WHO by [+|-]N ppm`: its clocks run fast, or slow, from now on.
    Skew {
        /// Whose.
        who: Who,
        /// Parts per million; from −500000 to 500000.
        ppm: i32,
    },
}

/// Whom a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// `holder`: the client that the trigger is about; at an instant, the one that was granted last.
    Holder,
    /// `client N`, from 1.
    Client(u32),
    /// `all clients`.
    Clients,
    /// `server`.
    Server,
}

/// One of the two messages of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// From the client.
    Request,
    /// To the client.
    Reply,
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It never arrives.
    Lose,
    /// It arrives later, and what is sent after it on the same connection still arrives after it.
    Delay(Span),
    /// It arrives later, and others overtake it.
    Reorder(Span),
    /// It arrives, and once more this much later. (A second reply is ignored.)
    Duplicate(Span),
}

/// When a fault happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// `at SPAN`: so long after the start.
    At(Span),
    /// `after grant [N] [to client C]`: a client has learnt for the Nth time that it was granted, and has not yet done
    /// anything about it.
    Grant {
        /// Which, from 1.
        nth: u32,
        /// Only grants to this client count.
        client: Option<u32>,
    },
    /// `at OPERATION [N] [of client C]`: the Nth such request has just been sent.
    Message {
        /// Which kind counts.
        operation: Operation,
        /// Which, from 1.
        nth: u32,
        /// Only those of this client count.
        client: Option<u32>,
    },
    /// `before NAME [N] [of client C]`: a client has come to the named [point](super::Node::point), and not passed it.
    Point {
        /// The name.
        name: String,
        /// Which time, from 1.
        nth: u32,
        /// Only this client counts.
        client: Option<u32>,
    },
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// `acquire`: a try, or a wait.
    Acquire,
    /// `renewal`: an extension of one lease or of many.
    Renewal,
    /// `release`.
    Release,
    /// `inspect`.
    Inspect,
    /// `revoke`.
    Revoke,
    /// `request`: any of them.
    Any,
}

impl Operation {
    /// Every kind, with the word for it.
    pub(super) const WORDS: [(Self, &'static str); 6] = [
        (Self::Acquire, "acquire"),
        (Self::Renewal, "renewal"),
        (Self::Release, "release"),
        (Self::Inspect, "inspect"),
        (Self::Revoke, "revoke"),
        (Self::Any, "request"),
    ];

    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(it, _)| *it == self).map_or("request", |(_, word)| word)
    }

    /// Whether `other` counts as one of these.
    pub(super) fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}
