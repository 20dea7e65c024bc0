//! A clock that stands still until a test turns it.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{Clock, Sleep, Timestamp};

/// A clock that is turned by hand, on any executor.
///
/// It starts at its origin and stands still. [`advance`](Self::advance) steps through every deadline on
/// the way, in (deadline, sequence) order, and lets the woken tasks run before it goes on: a renewal
/// every 5 s is renewed six times by `advance(30 s)`, where a jump would let its lease run out.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
/// use leasehold::{Clock, VirtualClock};
///
/// let clock = VirtualClock::new();
/// let nap = clock.sleep_until(clock.now() + Duration::from_secs(3600));
/// let nap = tokio::spawn(nap);
/// clock.advance(Duration::from_secs(3600)).await;
/// nap.await.unwrap();
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct VirtualClock(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Timestamp,
    next_sequence: u64,
    timers: BTreeMap<TimerId, Waker>,
    /// Counts every use of the clock: a test is settled when nobody uses it any more.
    activity: u64,
}

type TimerId = (Timestamp, u64);

/// How often in a row the executor must come round without anybody using the clock.
const QUIET_ROUNDS: usize = 16;

/// How often it may come round at all: whoever reads the clock whenever it is polled, and is polled by the
/// task that turns the clock, never is quiet.
const MOST_ROUNDS: usize = 10_000;

impl VirtualClock {
    /// A clock at its origin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves time on by `duration`, stopping at every deadline on the way to let the tasks it woke run.
    ///
    /// Exact on a single-threaded executor. On one with several threads a task may still be running
    /// when the clock moves on: use a single-threaded one where the order matters. Cancel safe: time
    /// stays where it was when the future was dropped.
    pub async fn advance(&self, duration: Duration) {
        let end = self.now() + duration;
        self.settle().await;
        while let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= end) {
            self.jump_to(deadline);
            self.settle().await;
        }
        self.jump_to(end);
        self.settle().await;
    }

    /// Lets every task that can run do so, without moving time. It ends though one of them runs for ever.
    pub async fn settle(&self) {
        let mut quiet = 0;
        let mut seen = self.state().activity;
        for _ in 0..MOST_ROUNDS {
            if quiet == QUIET_ROUNDS {
                return;
            }
            yield_now().await;
            let activity = self.state().activity;
            quiet = if activity == seen { quiet + 1 } else { 0 };
            seen = activity;
        }
    }

    /// Moves time to `instant` at once and wakes what is due, in (deadline, sequence) order; for
    /// executors that run the woken tasks themselves. Time never goes back.
    pub fn jump_to(&self, instant: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(instant);
        let first_later = (state.now + Duration::from_nanos(1), 0);
        let later = state.timers.split_off(&first_later);
        let due = std::mem::replace(&mut state.timers, later);
        drop(state);
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// The earliest deadline that anybody waits for.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.state().timers.keys().next().map(|(deadline, _)| *deadline)
    }

    /// How many waits are pending.
    #[must_use]
    pub fn timers(&self) -> usize {
        self.state().timers.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let mut state = self.state();
        state.activity += 1;
        state.now
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        Box::pin(Timer { clock: self.clone(), deadline, sequence: None })
    }
}

/// A wait; its place among equal deadlines is that of its first poll.
struct Timer {
    clock: VirtualClock,
    deadline: Timestamp,
    sequence: Option<u64>,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut state = clock.state();
        // Only to begin and to end is activity: who polls its timers on and on must not keep the clock from settling.
        if state.now >= self.deadline {
            state.activity += 1;
            return Poll::Ready(());
        }
        let sequence = match self.sequence {
            Some(sequence) => sequence,
            None => {
                state.activity += 1;
                state.next_sequence += 1;
                *self.sequence.insert(state.next_sequence)
            }
        };
        state.timers.insert((self.deadline, sequence), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(sequence) = self.sequence {
            self.clock.state().timers.remove(&(self.deadline, sequence));
        }
    }
}

/// Gives the executor one round.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
