//! Clocks that run at a rate of their own, from a start of their own, and that are set now and then.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use leasehold::{Clock, Sleep, Timestamp, VirtualClock};

/// A machine's view of the true time.
///
/// Unlike other clocks it may be set, also back: the clock of a server does that, and the wall clock of a client.
#[derive(Clone, Debug)]
pub(super) struct LocalClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    truth: VirtualClock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    view: View,
    /// Grows with every change of the view: waits look at their deadlines again.
    changes: u64,
    next: u64,
    waiting: BTreeMap<u64, Waker>,
}

/// What the clock shows: `local` at the instant `truth`, and from there at a rate of `1 + ppm / 10⁶`.
#[derive(Clone, Copy, Debug)]
struct View {
    truth: u64,
    local: u64,
    ppm: i32,
}

const MILLION: i128 = 1_000_000;

impl View {
    fn local(self, truth: Timestamp) -> Timestamp {
        let passed = i128::from(truth.as_nanos()) - i128::from(self.truth);
        let passed = (passed * (MILLION + i128::from(self.ppm))).div_euclid(MILLION);
        Timestamp::from_nanos(narrow(i128::from(self.local) + passed))
    }

    /// The first true instant at which the clock shows `local`, or more.
    fn truth(self, local: Timestamp) -> Timestamp {
        if local == Timestamp::MAX {
            return local;
        }
        let left = i128::from(local.as_nanos()) - i128::from(self.local);
        let left = -(-left * MILLION).div_euclid(MILLION + i128::from(self.ppm));
        Timestamp::from_nanos(narrow(i128::from(self.truth) + left))
    }
}

fn narrow(nanos: i128) -> u64 {
    u64::try_from(nanos.max(0)).unwrap_or(u64::MAX)
}

impl LocalClock {
    /// A clock that shows `start` now and runs `ppm` parts per million fast.
    pub(super) fn new(truth: &VirtualClock, start: Timestamp, ppm: i32) -> Self {
        let view = View { truth: truth.now().as_nanos(), local: start.as_nanos(), ppm };
        let state = State { view, changes: 0, next: 0, waiting: BTreeMap::new() };
        Self(Arc::new(Shared { truth: truth.clone(), state: Mutex::new(state) }))
    }

    /// Sets the clock forward or back, at the earliest to its origin.
    pub(super) fn step(&self, nanos: i64) {
        self.change(|view| view.local = narrow(i128::from(view.local) + i128::from(nanos)));
    }

    /// Makes the clock run so many parts per million fast from now on.
    pub(super) fn run_at(&self, ppm: i32) {
        self.change(|view| view.ppm = ppm);
    }

    /// The first true instant at which the clock shows this.
    pub(super) fn truth_of(&self, local: Timestamp) -> Timestamp {
        self.state().view.truth(local)
    }

    fn change(&self, change: impl FnOnce(&mut View)) {
        let truth = self.0.truth.now();
        let mut state = self.state();
        let local = state.view.local(truth).as_nanos();
        state.view = View { truth: truth.as_nanos(), local, ..state.view };
        change(&mut state.view);
        state.changes += 1;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for LocalClock {
    fn now(&self) -> Timestamp {
        let truth = self.0.truth.now();
        self.state().view.local(truth)
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        Box::pin(Wait { clock: self.clone(), deadline, number: None, timer: None })
    }
}

struct Wait {
    clock: LocalClock,
    deadline: Timestamp,
    number: Option<u64>,
    /// The count of changes that the timer was made under, and the timer.
    timer: Option<(u64, Sleep)>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let truth = this.clock.0.truth.now();
        let mut state = this.clock.state();
        if state.view.local(truth) >= this.deadline {
            return Poll::Ready(());
        }
        let number = *this.number.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        state.waiting.insert(number, context.waker().clone());
        let (changes, due) = (state.changes, state.view.truth(this.deadline));
        drop(state);
        if this.timer.as_ref().is_none_or(|(made, _)| *made != changes) {
            this.timer = Some((changes, this.clock.0.truth.sleep_until(due)));
        }
        match &mut this.timer {
            Some((_, timer)) => timer.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.clock.state().waiting.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ORIGIN + Duration::from_secs(seconds)
    }

    #[test]
    fn a_fast_clock_reaches_its_instants_early_and_a_wait_ends_exactly_then() {
        let truth = VirtualClock::new();
        let clock = LocalClock::new(&truth, at(100), 1_000);
        let mut wait = clock.sleep_until(at(1_101));
        assert!((&mut wait).now_or_never().is_none());
        assert_eq!(truth.next_deadline(), Some(at(1_000)));
        truth.jump_to(at(1_000));
        assert_eq!(clock.now(), at(1_101));
        assert!(wait.now_or_never().is_some());
    }

    #[test]
    fn a_wait_never_ends_before_its_deadline_whatever_the_rate() {
        for ppm in [-999, -3, 0, 7, 10_000] {
            let truth = VirtualClock::new();
            truth.jump_to(Timestamp::from_nanos(17));
            let clock = LocalClock::new(&truth, Timestamp::from_nanos(5), ppm);
            for nanos in [5, 6, 1_000, 1_000_003] {
                let deadline = Timestamp::from_nanos(nanos);
                let due = clock.truth_of(deadline);
                truth.jump_to(due);
                assert!(clock.now() >= deadline, "{ppm} {nanos}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_moves_the_waits_with_it() {
        let truth = VirtualClock::new();
        let clock = LocalClock::new(&truth, at(100), 0);
        let mut wait = clock.sleep_until(at(110));
        assert!((&mut wait).now_or_never().is_none());
        clock.step(-5_000_000_000);
        truth.jump_to(at(10));
        assert!((&mut wait).now_or_never().is_none(), "its clock shows 105 s");
        clock.step(5_000_000_000);
        assert!(wait.now_or_never().is_some());
    }
}
