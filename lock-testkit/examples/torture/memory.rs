//! In memory, on virtual time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use leasehold::Runtime;
use leasehold_memory::{MemoryBackend, state::Retention};
use leasehold_testkit::{
    broken::nth_program,
    generate::{Program, Ran, on_virtual_time, shrink, virtual_criteria},
};

use crate::{
    Plan, Watch, bar,
    tally::{Tally, tell},
};

/// Given-up ids are remembered for longer than any program runs.
fn backend(runtime: Runtime) -> MemoryBackend {
    let time = Duration::from_secs(24 * 60 * 60);
    MemoryBackend::with_retention(runtime, Retention { time, ..Retention::default() })
}

fn on_memory(program: &Program) -> Ran {
    on_virtual_time(program, backend)
}

pub(crate) fn run(plan: Plan) -> Tally {
    let watch = Watch::new(plan.seconds);
    let bar = bar(plan);
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        while !watch.is_over() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= plan.programs {
                break;
            }
            if tally.programs().is_multiple_of(256) {
                bar.set_message(format!("{number} programs"));
                bar.set_position(watch.spent().as_secs());
            }
            one(plan.seed, number, &mut tally);
        }
        tally
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut total = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for tally in workers.into_iter().filter_map(|worker| worker.join().ok()) {
            total.add(&tally);
        }
    });
    bar.finish_and_clear();
    total.took = watch.spent();
    total
}

fn one(seed: u64, number: u64, tally: &mut Tally) {
    let (profile, program) = nth_program(seed, number);
    if !tally.count(&on_memory(&program)) {
        return;
    }
    if let Some(failure) = shrink(profile, seed.wrapping_add(number), on_memory) {
        let ran = Ran { history: failure.history, finding: Some(failure.finding) };
        let seed = format!("{profile}:{}", failure.seed);
        tell(&ran, &virtual_criteria(&failure.program), &failure.program, &seed, "");
    }
}

pub(crate) fn replay(program: &Program) -> Tally {
    let mut tally = Tally::default();
    let ran = on_memory(program);
    tally.count(&ran);
    tell(&ran, &virtual_criteria(program), program, "none", "");
    tally
}
