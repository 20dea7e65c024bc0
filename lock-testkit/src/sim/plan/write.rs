//! Plans as text.

use std::fmt;

use super::{Action, Change, Fault, FaultPlan, Leg, Trigger, Who};

impl fmt::Display for FaultPlan {
    /// The faults with semicolons between them, on one line; an empty plan is `nothing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        for (place, fault) in self.faults.iter().enumerate() {
            let between = if place == 0 { "" } else { "; " };
            write!(f, "{between}{fault}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Action::Message { leg, change } = &self.action {
            return message(f, *leg, *change, &self.when);
        }
        write!(f, "{} {}", self.action, self.when)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause { who, span } => write!(f, "pause {who} for {span}"),
            Self::Crash { who, down: None } => write!(f, "crash {who}"),
            Self::Crash { who, down: Some(down) } => write!(f, "crash {who} for {down}"),
            Self::Partition { who, span } => write!(f, "partition {who} for {span}"),
            Self::Message { leg, change } => write!(f, "{} {}", change.word(), leg.word()),
            Self::Restart { data, down } => {
                let data = if *data { "with" } else { "without" };
                write!(f, "restart server {data} data for {down}")
            }
            Self::Failover { lost, down } => {
                write!(f, "failover server losing {lost} operations for {down}")
            }
            Self::Step { who, back, by } => {
                write!(f, "step clock of {who} by {}{by}", if *back { "-" } else { "+" })
            }
            Self::Skew { who, ppm } => write!(f, "skew clock of {who} by {ppm} ppm"),
        }
    }
}

/// `lose reply of renewal 2 of client 1`, `delay request of acquire 1 by 2s`.
fn message(f: &mut fmt::Formatter<'_>, leg: Leg, change: Change, when: &Trigger) -> fmt::Result {
    write!(f, "{} {} of ", change.word(), leg.word())?;
    match when {
        Trigger::Message { operation, nth, client } => {
            write!(f, "{} {nth}", operation.word())?;
            of_client(f, "of", *client)?;
        }
        // Not a plan that means anything; it says what it is.
        other => write!(f, "request {other}")?,
    }
    match change {
        Change::Lose => Ok(()),
        Change::Delay(span) | Change::Reorder(span) | Change::Duplicate(span) => {
            write!(f, " by {span}")
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(span) => write!(f, "at {span}"),
            Self::Grant { nth, client } => {
                write!(f, "after grant {nth}")?;
                of_client(f, "to", *client)
            }
            Self::Message { operation, nth, client } => {
                write!(f, "at {} {nth}", operation.word())?;
                of_client(f, "of", *client)
            }
            Self::Point { name, nth, client } => {
                write!(f, "before {name} {nth}")?;
                of_client(f, "of", *client)
            }
        }
    }
}

fn of_client(f: &mut fmt::Formatter<'_>, word: &str, client: Option<u32>) -> fmt::Result {
    client.map_or(Ok(()), |client| write!(f, " {word} client {client}"))
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holder => f.write_str("holder"),
            Self::Client(number) => write!(f, "client {number}"),
            Self::Clients => f.write_str("all clients"),
            Self::Server => f.write_str("server"),
        }
    }
}

impl Leg {
    const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
        }
    }
}

impl Change {
    const fn word(self) -> &'static str {
        match self {
            Self::Lose => "lose",
            Self::Delay(_) => "delay",
            Self::Reorder(_) => "reorder",
            Self::Duplicate(_) => "duplicate",
        }
    }
}
