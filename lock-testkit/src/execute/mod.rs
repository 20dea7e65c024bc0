//! Running tasks on a virtual clock: one thread, no runtime, no chance.

mod executor;

use futures::future::BoxFuture;
use leasehold::VirtualClock;

pub(crate) use executor::{Executor, Incoming, Polled, TaskId};

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
    let mut choice = Choice(order);
    let mut executor = Executor::default();
    for task in tasks {
        executor.spawn(0, task);
    }
    for _ in 0..POLLS {
        if executor.is_empty() {
            return Ok(());
        }
        match executor.poll_one(|ready| choice.below(ready)) {
            Polled::Ran | Polled::Ended(_) => {}
            Polled::Panicked(_) => std::panic::resume_unwind(executor.take_panic()),
            Polled::Nobody => {
                let stuck = Stuck { tasks: executor.len() };
                clock.jump_to(clock.next_deadline().ok_or(stuck)?);
            }
        }
    }
    Err(Stuck { tasks: executor.len() })
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
