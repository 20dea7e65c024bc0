//! The memory backend beside bare maps and mutexes, and what a locker costs on top of it.

mod held;
mod subject;

use std::{
    sync::{Arc, Barrier},
    thread,
};

use leasehold::LockKey;

pub(crate) use held::work;
use subject::{SUBJECTS, Subject};

use crate::{
    Outcome,
    effort::Effort,
    measure,
    report::{Report, Target},
};

/// The hidden first argument of a process that holds many keys.
pub(crate) const WORKER: &str = "memory-worker";

const DISTINCT: usize = 1_024;
/// The façade may add so much to a pair.
const FACADE_NS: f64 = 1_000.0;

pub(crate) fn bench(report: &mut Report, effort: Effort) -> Outcome<()> {
    for threads in [1, 2] {
        for hot in [false, true] {
            pairs(report, threads, hot, effort)?;
        }
    }
    held::bench(report, effort)
}

/// Nanoseconds a pair of each, and the rows that compare them.
fn pairs(report: &mut Report, threads: usize, hot: bool, effort: Effort) -> Outcome<()> {
    let subjects = SUBJECTS.iter().map(|name| Ok((*name, Arc::new(Subject::new(name)?))));
    let subjects = subjects.collect::<Outcome<Vec<_>>>()?;
    // Handing a hot key from thread to thread takes microseconds.
    let batches = effort.pick(if hot && threads > 1 { 20 } else { 400 }, 4);
    let mut samples: Vec<Vec<f64>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..effort.rounds() {
        for ((_, subject), samples) in subjects.iter().zip(&mut samples) {
            samples.push(on_threads(subject, threads, hot, batches)?);
        }
    }
    let medians: Vec<f64> = samples.into_iter().map(measure::median).collect();
    let of = |name: &str| {
        let at = subjects.iter().position(|(subject, _)| *subject == name);
        at.map_or(f64::NAN, |at| medians[at])
    };
    let keys = if hot { "one hot key" } else { "distinct keys" };
    let s = if threads == 1 { "" } else { "s" };
    let row = |what: &str| format!("memory/{threads} thread{s}, {keys}/{what}");
    for (name, clock) in [(subject::SYSTEM, "the system's clock"), (subject::VIRTUAL, "no clock")] {
        let name_of = |over: &str| row(&format!("pair over {over}, {clock}"));
        let over_map = of(name) / of(subject::MAP);
        if threads == 1 && !hot {
            report.judged(name_of("a bare DashMap"), over_map, "ratio", Target::AtMost(2.0));
        } else if !hot {
            report.shown(name_of("a bare DashMap"), over_map, "ratio");
        }
        report.shown(name_of("tokio's Mutex"), of(name) / of(subject::MUTEX), "ratio");
    }
    for ((name, _), median) in subjects.iter().zip(&medians) {
        report.shown(row(name), *median, "ns a pair");
    }
    if threads == 1 && !hot {
        let facade = of(subject::LOCKER) - of(subject::SYSTEM);
        let name = "facade/what a locker adds to a pair".to_owned();
        report.judged(name, facade, "ns", Target::AtMost(FACADE_NS));
    }
    Ok(())
}

/// Nanoseconds a pair: of processor time on one thread, of real time on several.
fn on_threads(subject: &Arc<Subject>, threads: usize, hot: bool, batches: usize) -> Outcome<f64> {
    let start = Arc::new(Barrier::new(threads));
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            let (subject, start) = (Arc::clone(subject), Arc::clone(&start));
            thread::spawn(move || {
                let names = (0..if hot { 1 } else { DISTINCT })
                    .map(|n| if hot { "hot".to_owned() } else { format!("order:{thread}:{n}") });
                let keys = names.map(LockKey::new).collect::<Result<Vec<_>, _>>()?;
                let clock = if threads == 1 { measure::worked_ns } else { measure::now_ns };
                start.wait();
                measure::runtime()?.block_on(subject.batches(
                    &keys,
                    batches,
                    clock,
                    hot && threads > 1,
                ))
            })
        })
        .collect();
    let mut slowest: f64 = 0.0;
    for thread in running {
        slowest = slowest.max(thread.join().map_err(|_| "a thread panicked")??);
    }
    Ok(slowest)
}
