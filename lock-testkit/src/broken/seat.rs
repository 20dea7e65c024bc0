//! A waiting call.

use std::{
    task::{Context, Poll, Waker},
    time::Duration,
};

use leasehold::{Acquire, AcquireRequest, LockBackend as _, Result, Sleep, Timestamp};

use super::{BrokenBackend, Bug, machine::Turn};

/// A place in the queue; dropped before it was over, it leaves.
pub(super) struct Seat<'a> {
    backend: &'a BrokenBackend,
    request: &'a AcquireRequest,
    deadline: Timestamp,
    waits: bool,
    timer: Option<(Timestamp, Sleep)>,
}

impl<'a> Seat<'a> {
    pub(super) const fn new(
        backend: &'a BrokenBackend,
        request: &'a AcquireRequest,
        deadline: Timestamp,
    ) -> Self {
        Self { backend, request, deadline, waits: false, timer: None }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Acquire>> {
        loop {
            let alarm = match self.look(context.waker()) {
                Err(error) => return Poll::Ready(Err(error)),
                Ok(Look::Over(outcome)) => return Poll::Ready(Ok(self.dated(outcome))),
                Ok(Look::Until(alarm)) => alarm,
            };
            let timer = match self.timer.take() {
                Some((at, timer)) if at == alarm => timer,
                _ => self.backend.runtime().sleep_until(alarm),
            };
            let (_, timer) = self.timer.insert((alarm, timer));
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.timer = None;
        }
    }

    fn look(&mut self, waker: &Waker) -> Result<Look> {
        let backend = self.backend;
        let mut machine = backend.machine();
        let now = backend.now(&machine);
        // The deadline is the caller's, on the caller's clock.
        let late = backend.runtime().now() >= self.deadline;
        let turn = if self.waits {
            machine.resume(now, self.request, late)
        } else {
            machine.enqueue(now, self.request, self.deadline, late)
        };
        self.waits = matches!(turn, Ok(Turn::Waits));
        if self.waits {
            machine.watch(waker);
            return Ok(Look::Until(self.alarm(machine.next_end(self.request))));
        }
        let wakers = machine.take_wakers();
        drop(machine);
        backend.announce(wakers);
        match turn? {
            Turn::Over(outcome) => Ok(Look::Over(outcome)),
            Turn::Waits => Ok(Look::Until(self.deadline)),
        }
    }

    /// When a waiter looks again, if nobody wakes it.
    fn alarm(&self, end: Option<Timestamp>) -> Timestamp {
        let backend = self.backend;
        let deadline = match backend.has(Bug::DeadlineOverslept) {
            true => self.deadline + Duration::from_millis(500),
            false => self.deadline,
        };
        let deaf = [Bug::NoWakeUpOnExpiry, Bug::MissedWhileDisconnected, Bug::LostWakeUp];
        if deaf.into_iter().any(|bug| backend.has(bug)) {
            return deadline;
        }
        // A lease that should have ended and has not is looked at again in a while.
        let now = backend.runtime().now();
        let end = end.map(|end| if end <= now { now + Duration::from_millis(1) } else { end });
        end.unwrap_or(deadline).min(deadline)
    }

    fn dated(&self, outcome: Acquire) -> Acquire {
        match outcome {
            Acquire::Granted(mut grant) if self.backend.has(Bug::GrantDatedLate) => {
                grant.since = self.backend.runtime().now();
                Acquire::Granted(grant)
            }
            outcome => outcome,
        }
    }
}

enum Look {
    Over(Acquire),
    Until(Timestamp),
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if self.waits && !self.backend.has(Bug::DroppedWaiterIsGranted) {
            let (keys, id) = (self.request.keys(), self.request.id());
            self.backend.operate(|machine, now| machine.leave(now, keys, id));
        }
    }
}
