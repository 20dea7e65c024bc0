//! What only a backend can see, for backends to tell.

use std::time::Duration;

use super::emit::{self, series};

/// A waiter took its place in a key's queue, behind so many.
pub fn queued(ahead: usize) {
    emit::number(series!(QUEUE_AHEAD), u32::try_from(ahead).unwrap_or(u32::MAX));
}

/// A waiter learnt that a freed key was handed to it, at most this long after the grant.
pub fn handed_over(latency: Duration) {
    emit::seconds(series!(HANDOFF), latency);
}

/// A server was asked whether it may have lost data: for how long it is to grant nothing, zero if it may grant.
pub fn quarantine(left: Duration) {
    if !left.is_zero() {
        emit::count(series!(QUARANTINES));
    }
    emit::set_seconds(series!(QUARANTINE), left);
}

/// The quarantine that was told of is over.
pub fn quarantine_over() {
    emit::set_seconds(series!(QUARANTINE), Duration::ZERO);
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Commands.
    Commands,
    /// Messages from the server.
    Subscription,
}

/// A lost connection was made again, or could not be.
pub fn reconnected(link: Link, connected: bool) {
    let series = match (link, connected) {
        (Link::Commands, true) => series!(CONNECTS, "link" => "commands", "outcome" => "connected"),
        (Link::Commands, false) => series!(CONNECTS, "link" => "commands", "outcome" => "failed"),
        (Link::Subscription, true) => {
            series!(CONNECTS, "link" => "subscription", "outcome" => "connected")
        }
        (Link::Subscription, false) => {
            series!(CONNECTS, "link" => "subscription", "outcome" => "failed")
        }
    };
    emit::count(series);
}

/// A server's clock stepped, forward or back.
pub fn clock_stepped(forward: bool) {
    let series = match forward {
        true => series!(CLOCK_STEPS, "direction" => "forward"),
        false => series!(CLOCK_STEPS, "direction" => "back"),
    };
    emit::count(series);
}
