//! Runs a vector, and says where an implementation leaves it.

use std::{collections::BTreeMap, fmt, time::Duration};

use leasehold::{AcquireRequest, KeyState, LeaseId, LeaseInfo, LockKey};

use super::{
    Answer, Event, Machine, Operation, Outcome, Vector,
    step::{Expected, ExpectedLease, ExpectedState, Step, Then, lease_id},
    tokens::Tokens,
};

/// Where an implementation left a vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{topic}: {vector}: step {step}: {what}")]
pub struct Mismatch {
    /// The vector's topic.
    pub topic: String,
    /// The vector.
    pub vector: String,
    /// The step, counted from 1.
    pub step: usize,
    /// What was expected and what came.
    pub what: String,
}

/// Runs the vector on a machine in its empty state; whether it was for this machine, see
/// [`Machine::can`].
///
/// # Errors
/// The first step at which the machine answers otherwise.
pub async fn run(vector: &Vector, machine: &mut dyn Machine) -> Result<bool, Mismatch> {
    if vector.needs().any(|needed| !machine.can(needed)) {
        return Ok(false);
    }
    let mut runner = Runner::default();
    for (index, step) in vector.steps.iter().enumerate() {
        let done = runner.step(step, machine).await;
        done.map_err(|what| Mismatch {
            topic: vector.topic().to_owned(),
            vector: vector.name().to_owned(),
            step: index + 1,
            what,
        })?;
    }
    Ok(true)
}

#[derive(Debug, Default)]
struct Runner {
    tokens: Tokens,
    keys: BTreeMap<LeaseId, Vec<LockKey>>,
}

impl Runner {
    async fn step(&mut self, step: &Step, machine: &mut dyn Machine) -> Result<(), String> {
        if let Operation::TryAcquire(request) | Operation::Acquire { request, .. } = &step.operation
        {
            self.keys.insert(request.id(), request.keys().to_vec());
        }
        let Answer { outcome, events } = machine.apply(step.at, &step.operation).await;
        // What happened to waiters on the way may have minted tokens before the outcome did.
        self.events(&step.then, &events)?;
        self.outcome(step, &outcome)?;
        for (key, expected) in &step.state {
            let state = machine.inspect(step.at, key).await;
            self.state(step.at, expected, &state)
                .map_err(|what| format!("{key}: {what}, got {state:?}"))?;
        }
        Ok(())
    }

    fn outcome(&mut self, step: &Step, outcome: &Outcome) -> Result<(), String> {
        if let (Expected::Granted(label), Outcome::Granted(token)) = (&step.expect, outcome) {
            let (Operation::TryAcquire(request) | Operation::Acquire { request, .. }) =
                &step.operation
            else {
                return Err("only an acquire can be granted".to_owned());
            };
            return self.tokens.granted(AcquireRequest::keys(request), *label, *token);
        }
        let same = match (&step.expect, outcome) {
            (Expected::Held(reason), Outcome::Held(held)) => held.to_string() == *reason,
            (Expected::Refused(kind), Outcome::Refused(refused)) => refused.name() == kind,
            (Expected::Revoked(leases), Outcome::Revoked(revoked)) => leases == revoked,
            (Expected::Queued, Outcome::Queued)
            | (Expected::TimedOut, Outcome::TimedOut)
            | (Expected::Extended, Outcome::Extended)
            | (Expected::Downgraded, Outcome::Downgraded)
            | (Expected::Lost, Outcome::Lost)
            | (Expected::Released, Outcome::Released)
            | (Expected::NotHeld, Outcome::NotHeld)
            | (Expected::Nothing, Outcome::Nothing) => true,
            _ => false,
        };
        differ(same, &step.expect, outcome)
    }

    fn events(&mut self, expected: &[Then], events: &[Event]) -> Result<(), String> {
        differ(expected.len() == events.len(), &expected, &events)?;
        for pair in expected.iter().zip(events) {
            match pair {
                (Then::Granted { id, token: label }, Event::Granted { id: granted, token })
                    if lease_id(id) == *granted =>
                {
                    let keys = self.keys.get(granted).cloned().unwrap_or_default();
                    self.tokens.granted(&keys, *label, *token)?;
                }
                (Then::TimedOut { id }, Event::TimedOut { id: gone }) if lease_id(id) == *gone => {}
                (then, event) => differ(false, then, event)?,
            }
        }
        Ok(())
    }

    fn state(
        &self,
        at: Duration,
        expected: &ExpectedState,
        state: &KeyState,
    ) -> Result<(), String> {
        let waiters = state.waiters.iter().map(|waiter| waiter.holder.to_string());
        let waiters: Vec<_> = waiters.collect();
        differ(expected.waiters == waiters, &expected.waiters, &waiters)?;
        differ(expected.leases.len() == state.leases.len(), &expected.leases, &state.leases)?;
        let pairs = expected.leases.iter().zip(&state.leases);
        pairs.into_iter().try_for_each(|(expected, shown)| self.lease(at, expected, shown))
    }

    fn lease(
        &self,
        at: Duration,
        expected: &ExpectedLease,
        shown: &LeaseInfo,
    ) -> Result<(), String> {
        self.tokens.is(expected.token, shown.token)?;
        let mode = expected.mode.mode().map_err(|error| error.to_string())?;
        let asked = (&expected.id, mode, expected.permits, expected.released, expected.ends);
        let ends = u64::try_from((at + shown.remaining).as_micros()).unwrap_or(u64::MAX);
        let holder = shown.holder.to_string();
        let got = (&holder, shown.mode, shown.permits, shown.released, ends);
        differ(asked == got, &asked, &got)
    }
}

fn differ(same: bool, expected: &dyn fmt::Debug, got: &dyn fmt::Debug) -> Result<(), String> {
    if same {
        return Ok(());
    }
    Err(format!("expected {expected:?}, got {got:?}"))
}
