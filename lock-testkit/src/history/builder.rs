//! Making a history, event by event.

use std::sync::Arc;

use super::{Call, History, HistoryError, OpId, Operation, Outcome, Stamp};

/// The largest time that a history may carry: about 73 years of nanoseconds. It leaves room for
/// lease arithmetic.
const LATEST_NS: u64 = u64::MAX / 8;

/// Records events in the order in which they happen.
///
/// A recorder calls [`invoke`](Self::invoke) before it forwards a call and
/// [`returned`](Self::returned) after the answer, under one lock, so that the order of the calls here
/// is an order that the recorded program could see. An operation whose future is dropped is left
/// open; [`settled`](Self::settled) closes it when it certainly can take no effect any more.
///
/// ```
/// use leasehold_testkit::history::{Call, HistoryBuilder, LeaseRequest, Outcome};
/// let mut history = HistoryBuilder::new();
/// let call = Call::TryAcquire(LeaseRequest::exclusive("c1.1", "orders/42", 1_000));
/// let op = history.invoke(0, "c1", call)?;
/// history.returned(5, op, Outcome::Granted { token: 1, ttl_ns: 1_000 })?;
/// assert_eq!(history.finish().len(), 1);
/// # Ok::<(), leasehold_testkit::history::HistoryError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct HistoryBuilder {
    history: History,
    now_ns: u64,
}

impl HistoryBuilder {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty history of a named process; merging prefixes its clients and leases with the name.
    #[must_use]
    pub fn for_process(name: impl Into<String>) -> Self {
        let mut builder = Self::default();
        builder.history.process = Some(name.into());
        builder
    }

    /// A call is about to be made at `at_ns` (nanoseconds of the recorder's clock).
    ///
    /// # Errors
    /// [`HistoryError::Contradiction`] if time ran back, or if the call has no key, names a key twice,
    /// or asks for no permits or no ttl.
    pub fn invoke(
        &mut self,
        at_ns: u64,
        client: impl Into<Arc<str>>,
        call: Call,
    ) -> Result<OpId, HistoryError> {
        well_formed(&call)?;
        let invoked = self.stamp(at_ns)?;
        let id = OpId(self.history.operations.len());
        self.history.operations.push(Operation {
            id,
            client: client.into(),
            call,
            invoked,
            enqueued: None,
            returned: None,
            settled: None,
        });
        Ok(id)
    }

    /// A waiting acquire is now certainly in the queue of its keys.
    ///
    /// # Errors
    /// [`HistoryError::Contradiction`] if time ran back, or the operation does not wait or is over.
    pub fn enqueued(&mut self, at_ns: u64, op: OpId) -> Result<(), HistoryError> {
        let open = self.open(op)?;
        if !open.call.waits() || open.enqueued.is_some() {
            return Err(contradiction(format!("operation {} cannot be enqueued here", op.0)));
        }
        let stamp = self.stamp(at_ns)?;
        self.history.operations[op.0].enqueued = Some(stamp);
        Ok(())
    }

    /// The call returned.
    ///
    /// # Errors
    /// [`HistoryError::Contradiction`] if time ran back, if the operation is not open, or if the outcome
    /// cannot answer the call.
    pub fn returned(&mut self, at_ns: u64, op: OpId, outcome: Outcome) -> Result<(), HistoryError> {
        let open = self.open(op)?;
        if !outcome.answers(&open.call) {
            let name = open.call.name();
            return Err(contradiction(format!("{outcome:?} cannot answer {name}")));
        }
        let stamp = self.stamp(at_ns)?;
        self.history.operations[op.0].returned = Some((stamp, outcome));
        Ok(())
    }

    /// An open operation, or one that returned with an unknown effect, can take no effect any more.
    ///
    /// # Errors
    /// [`HistoryError::Contradiction`] if time ran back, or if the operation's effect is known or
    /// already settled.
    pub fn settled(&mut self, at_ns: u64, op: OpId) -> Result<(), HistoryError> {
        let known = self.history.get(op).is_none_or(|op| !op.is_unknown() || op.settled.is_some());
        if known {
            return Err(contradiction(format!("operation {} has nothing to settle", op.0)));
        }
        let stamp = self.stamp(at_ns)?;
        self.history.operations[op.0].settled = Some(stamp);
        Ok(())
    }

    /// The history so far; open operations stay open.
    #[must_use]
    pub fn finish(self) -> History {
        self.history
    }

    fn open(&self, op: OpId) -> Result<&Operation, HistoryError> {
        self.history
            .get(op)
            .filter(|op| op.returned.is_none() && op.settled.is_none())
            .ok_or_else(|| contradiction(format!("operation {} is not open", op.0)))
    }

    fn stamp(&mut self, at_ns: u64) -> Result<Stamp, HistoryError> {
        if at_ns < self.now_ns {
            let message = format!("time runs back from {} to {at_ns} ns", self.now_ns);
            return Err(contradiction(message));
        }
        if at_ns > LATEST_NS {
            return Err(contradiction(format!("time {at_ns} ns is beyond {LATEST_NS} ns")));
        }
        self.now_ns = at_ns;
        let stamp = Stamp { index: self.history.events, at_ns };
        self.history.events += 1;
        Ok(stamp)
    }
}

fn contradiction(message: String) -> HistoryError {
    HistoryError::Contradiction(message)
}

fn well_formed(call: &Call) -> Result<(), HistoryError> {
    let keys = call.keys();
    if keys.is_empty() {
        return Err(contradiction(format!("{} names no key", call.name())));
    }
    let repeated = keys.iter().enumerate().find(|(index, key)| keys[..*index].contains(key));
    if let Some((_, key)) = repeated {
        return Err(contradiction(format!("{} names key {key:?} twice", call.name())));
    }
    let ttl_ns = match call {
        Call::TryAcquire(request) | Call::Acquire { request, .. } => {
            if request.permits == 0 {
                return Err(contradiction("a lease needs at least one permit".to_owned()));
            }
            request.ttl_ns
        }
        Call::Extend { ttl_ns, .. } => *ttl_ns,
        Call::Downgrade { .. }
        | Call::Release { .. }
        | Call::Inspect { .. }
        | Call::Revoke { .. } => 1,
    };
    if ttl_ns == 0 {
        return Err(contradiction("a ttl of 0 ns is no lease".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{HeldReason, LeaseRequest};

    fn try_acquire() -> Call {
        Call::TryAcquire(LeaseRequest::exclusive("c1.1", "k", 10))
    }

    #[test]
    fn time_never_runs_back() {
        let mut builder = HistoryBuilder::new();
        builder.invoke(5, "c1", try_acquire()).unwrap();
        assert!(builder.invoke(4, "c2", try_acquire()).is_err());
    }

    #[test]
    fn an_outcome_must_answer_its_call() {
        let mut builder = HistoryBuilder::new();
        let op = builder.invoke(0, "c1", try_acquire()).unwrap();
        assert!(builder.returned(0, op, Outcome::Released).is_err());
        builder.returned(0, op, Outcome::Held { reason: HeldReason::Lease }).unwrap();
        assert!(builder.returned(0, op, Outcome::Held { reason: HeldReason::Lease }).is_err());
    }

    #[test]
    fn only_an_unknown_effect_is_settled() {
        let mut builder = HistoryBuilder::new();
        let op = builder.invoke(0, "c1", try_acquire()).unwrap();
        builder.returned(0, op, Outcome::unknown()).unwrap();
        builder.settled(1, op).unwrap();
        assert!(builder.settled(1, op).is_err());
        let history = builder.finish();
        assert_eq!(history.operations()[0].closed().map(|stamp| stamp.at_ns), Some(1));
    }
}
