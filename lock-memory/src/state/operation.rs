//! Every operation as a value, for those who drive the machine from data.

use leasehold::{
    AcquireRequest, Downgrade, Extension, KeyState, LeaseId, Release, Revoked, Timestamp,
    TryAcquire, Ttl,
};

use super::{Refusal, State, Turn, WakeUp};

/// An operation on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// [`State::try_acquire`].
    TryAcquire(AcquireRequest),
    /// [`State::acquire`].
    Acquire {
        /// Who asks for what.
        request: AcquireRequest,
        /// Until when it waits.
        deadline: Timestamp,
    },
    /// [`State::extend`].
    Extend {
        /// Whose lease.
        id: LeaseId,
        /// For how long from now, at the least.
        ttl: Ttl,
    },
    /// [`State::downgrade`].
    Downgrade {
        /// Whose lease.
        id: LeaseId,
    },
    /// [`State::release`].
    Release {
        /// Whose lease.
        id: LeaseId,
    },
    /// [`State::leave`].
    Leave {
        /// Who gives up.
        id: LeaseId,
    },
    /// [`State::revoke`].
    Revoke,
    /// [`State::tick`].
    Tick,
    /// [`State::inspect`].
    Inspect,
}

/// What an [`Operation`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Of [`Operation::TryAcquire`].
    TryAcquire(Result<TryAcquire, Refusal>),
    /// Of [`Operation::Acquire`].
    Acquire(Result<Turn, Refusal>),
    /// Of [`Operation::Extend`].
    Extend(Extension),
    /// Of [`Operation::Downgrade`].
    Downgrade(Result<Downgrade, Refusal>),
    /// Of [`Operation::Release`].
    Release(Release),
    /// Of [`Operation::Leave`] and [`Operation::Tick`], which answer nothing.
    Done,
    /// Of [`Operation::Revoke`].
    Revoke(Revoked),
    /// Of [`Operation::Inspect`].
    Inspect(KeyState),
}

impl State {
    /// Does one operation: the outcome, and the waiters that it granted.
    pub fn apply(&mut self, now: Timestamp, operation: &Operation) -> (Outcome, Vec<WakeUp>) {
        match operation {
            Operation::TryAcquire(request) => {
                let (outcome, granted) = self.try_acquire(now, request);
                (Outcome::TryAcquire(outcome), granted)
            }
            Operation::Acquire { request, deadline } => {
                let (outcome, granted) = self.acquire(now, request, *deadline);
                (Outcome::Acquire(outcome), granted)
            }
            Operation::Extend { id, ttl } => {
                let (outcome, granted) = self.extend(now, *id, *ttl);
                (Outcome::Extend(outcome), granted)
            }
            Operation::Downgrade { id } => {
                let (outcome, granted) = self.downgrade(now, *id);
                (Outcome::Downgrade(outcome), granted)
            }
            Operation::Release { id } => {
                let (outcome, granted) = self.release(now, *id);
                (Outcome::Release(outcome), granted)
            }
            Operation::Leave { id } => (Outcome::Done, self.leave(now, *id)),
            Operation::Revoke => {
                let (revoked, granted) = self.revoke(now);
                let outcome = Revoked { leases: revoked.len() };
                (Outcome::Revoke(outcome), granted)
            }
            Operation::Tick => (Outcome::Done, self.tick(now)),
            Operation::Inspect => (Outcome::Inspect(self.inspect(now)), Vec::new()),
        }
    }
}
