//! Running tasks on a virtual clock: one thread, no runtime, no chance.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::future::BoxFuture;
use leasehold::VirtualClock;

/// Tasks that will never end: nobody can run, and no time is waited for (or they never let time pass).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tasks} tasks never end")]
pub struct Stuck {
    /// How many.
    pub tasks: usize,
}

/// So many polls without an end are a loop.
const POLLS: usize = 1_000_000;

/// Runs the tasks to their ends. Whenever nobody can run, the clock jumps to its next deadline.
///
/// `order` decides who runs first among those who can: 0 for first come first served, else a seed.
///
/// # Errors
/// [`Stuck`] if not all of them end.
pub fn run_until_done(
    clock: &VirtualClock,
    order: u64,
    tasks: Vec<BoxFuture<'_, ()>>,
) -> Result<(), Stuck> {
    let ready = Arc::new(Ready::default());
    let mut choice = Choice(order);
    let mut left = tasks.len();
    let mut tasks: Vec<_> = tasks.into_iter().map(Some).collect();
    let wakers: Vec<_> = (0..left).map(|task| Task::waker(task, &ready)).collect();
    for waker in &wakers {
        waker.wake_by_ref();
    }
    let mut polls = 0;
    while left > 0 {
        let Some(number) = ready.pick(&mut choice) else {
            let Some(deadline) = clock.next_deadline() else { return Err(Stuck { tasks: left }) };
            clock.jump_to(deadline);
            continue;
        };
        let Some(task) = &mut tasks[number.0] else { continue };
        polls += 1;
        if polls > POLLS {
            return Err(Stuck { tasks: left });
        }
        let poll = task.as_mut().poll(&mut Context::from_waker(&wakers[number.0]));
        if poll == Poll::Ready(()) {
            tasks[number.0] = None;
            left -= 1;
        }
    }
    Ok(())
}

/// Picks one of several, as a seed has it.
struct Choice(u64);

impl Choice {
    fn below(&mut self, count: usize) -> usize {
        if self.0 == 0 {
            return 0;
        }
        // xorshift64, Marsaglia 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % count
    }
}

#[derive(Clone, Copy)]
struct Number(usize);

#[derive(Default)]
struct Ready(Mutex<VecDeque<Arc<Task>>>);

impl Ready {
    fn pick(&self, choice: &mut Choice) -> Option<Number> {
        let mut ready = self.lock();
        let place = if ready.len() > 1 { choice.below(ready.len()) } else { 0 };
        let task = ready.remove(place)?;
        task.queued.store(false, Ordering::Relaxed);
        Some(Number(task.number))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Task>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Task {
    number: usize,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Task {
    fn waker(number: usize, ready: &Arc<Ready>) -> Waker {
        let ready = Arc::clone(ready);
        Arc::new(Self { number, queued: AtomicBool::new(false), ready }).into()
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            let ready = Arc::clone(&self.ready);
            ready.lock().push_back(self);
        }
    }
}
