//! What a run is like, apart from what goes wrong by plan.

use std::time::Duration;

use super::{
    choices::Chooser,
    plan::{Change, Span},
};

/// The settings of a run.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) ttl: Duration,
    pub(super) op_timeout: Duration,
    /// The longest time that a message takes by itself.
    pub(super) latency: Duration,
    pub(super) quarantine: Option<Duration>,
    pub(super) storm: Storm,
    /// How long things may go wrong.
    pub(super) horizon: Duration,
    /// How long the clients have from then on.
    pub(super) calm: Duration,
}

impl Settings {
    /// For how long the server grants nothing after a loss.
    pub(super) fn quarantine(&self) -> Duration {
        self.quarantine.unwrap_or(self.ttl * 2)
    }
}

impl Default for Settings {
    fn default() -> Self {
        let ttl = Duration::from_secs(1);
        Self {
            ttl,
            op_timeout: ttl / 5,
            latency: Duration::from_millis(5),
            quarantine: None,
            storm: Storm::default(),
            horizon: ttl * 30,
            calm: ttl * 60,
        }
    }
}

/// Faults at random, drawn from the choices of the run: how often, in a thousand.
///
/// Plans are better at finding mistakes: random pauses rarely hit the moment that matters. These fill in the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storm {
    /// Of a thousand messages, how many are lost.
    pub lose: u32,
    /// … delayed, by up to a ttl.
    pub delay: u32,
    /// … overtaken by others.
    pub reorder: u32,
    /// … delivered twice.
    pub duplicate: u32,
    /// Of a thousand arrivals at a point, and grants, after how many the client is paused, for up to two ttls.
    pub pause: u32,
}

impl Storm {
    /// A bit of everything.
    pub const MIXED: Self = Self { lose: 20, delay: 20, reorder: 20, duplicate: 20, pause: 20 };

    /// What happens to a message.
    pub(super) fn change(self, chooser: &mut Chooser) -> Option<Change> {
        if chooser.odds(self.lose) {
            return Some(Change::Lose);
        }
        let kinds = [
            (self.delay, Change::Delay as fn(Span) -> Change),
            (self.reorder, Change::Reorder),
            (self.duplicate, Change::Duplicate),
        ];
        for (odds, change) in kinds {
            if chooser.odds(odds) {
                return Some(change(Span::Ttls(100 * (1 + chooser.below(10)))));
            }
        }
        None
    }

    /// How long a client is paused here, if it is.
    pub(super) fn pause(self, chooser: &mut Chooser) -> Option<Span> {
        chooser.odds(self.pause).then(|| Span::Ttls(250 * (1 + chooser.below(8))))
    }
}
