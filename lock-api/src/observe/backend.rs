//! What only a backend can see, for backends to tell.

use std::time::Duration;

use super::{
    emit::{self, labels},
    metric,
};

/// A waiter took its place in a key's queue, behind so many.
pub fn queued(ahead: usize) {
    emit::number(&metric::QUEUE_AHEAD, u32::try_from(ahead).unwrap_or(u32::MAX));
}

/// A waiter learnt that a freed key was handed to it, at most this long after the grant.
pub fn handed_over(latency: Duration) {
    emit::seconds(&metric::HANDOFF, labels!(), latency);
}

/// A server was asked whether it may have lost data: for how long it is to grant nothing, zero if it may grant.
pub fn quarantine(left: Duration) {
    if !left.is_zero() {
        emit::count(&metric::QUARANTINES, labels!());
    }
    emit::set_seconds(&metric::QUARANTINE, left);
}

/// The quarantine that was told of is over.
pub fn quarantine_over() {
    emit::set_seconds(&metric::QUARANTINE, Duration::ZERO);
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
    let labels = match (link, connected) {
        (Link::Commands, true) => labels!("link" => "commands", "outcome" => "connected"),
        (Link::Commands, false) => labels!("link" => "commands", "outcome" => "failed"),
        (Link::Subscription, true) => labels!("link" => "subscription", "outcome" => "connected"),
        (Link::Subscription, false) => labels!("link" => "subscription", "outcome" => "failed"),
    };
    emit::count(&metric::CONNECTS, labels);
}

/// A server's clock stepped, forward or back.
pub fn clock_stepped(forward: bool) {
    let labels =
        if forward { labels!("direction" => "forward") } else { labels!("direction" => "back") };
    emit::count(&metric::CLOCK_STEPS, labels);
}
