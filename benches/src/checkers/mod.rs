//! The checkers of the testkit: how long they take, and how much longer others take for the same histories.

mod histories;
mod peers;

use std::time::{Duration, Instant};

use leasehold_testkit::check::differential::{Shape, busy_history};
use leasehold_testkit::check::linear::{self, Recorded};
use leasehold_testkit::check::{Limits, lock};
use leasehold_testkit::history::{History, Outcome as Answer};
use leasehold_testkit::model::{
    Kv, KvOp, KvRet, Model, Register, RegisterOp, RegisterRet, WholeKv,
};

use self::histories::{Corrupted, MapShape, RegisterShape, map_history, register_history};
use crate::{
    Outcome,
    effort::Effort,
    measure,
    report::{Report, Target},
};

#[cfg(feature = "peers")]
pub(crate) use peers::run::WORKER;
#[cfg(feature = "peers")]
pub(crate) use peers::run::work;

/// Runs are repeated for so long, if one is shorter.
const AT_LEAST: Duration = Duration::from_millis(100);
const SEED: u64 = 1;

pub(crate) fn bench(report: &mut Report, effort: Effort) -> Outcome<()> {
    locks(report, effort.pick(usize::MAX, 1_000))?;
    maps(report)?;
    registers(report)
}

/// The median of some runs, in ms of processor time, each of which has to come to this verdict.
fn median_ms(expected: &str, mut run: impl FnMut() -> &'static str) -> Outcome<f64> {
    let (mut samples, began) = (Vec::new(), Instant::now());
    while samples.is_empty() || (began.elapsed() < AT_LEAST && samples.len() < 1_001) {
        let started = measure::worked();
        let verdict = run();
        samples.push(measure::worked().saturating_sub(started));
        if verdict != expected {
            return Err(format!("{verdict} instead of {expected}").into());
        }
    }
    samples.sort_unstable();
    Ok(samples[samples.len() / 2].as_secs_f64() * 1e3)
}

fn expected(corrupted: Corrupted) -> &'static str {
    if corrupted.0 { "violation" } else { "ok" }
}

fn locks(report: &mut Report, most: usize) -> Outcome<()> {
    let never = 1 << 50;
    // The easy ones have few operations open at a time; in the hard ones there are many, and answers get lost.
    let rows = [
        ("500 x 50", 500, 50, never, 0, Some(5.0)),
        ("1,000 x 5, expiry", 1_000, 5, 3_000, 0, None),
        ("1,000 x 20, expiry, 2 % lost", 1_000, 20, 3_000, 20, None),
        ("10,000 x 5, expiry", 10_000, 5, 3_000, 0, None),
        ("10,000 x 20, expiry, 1 % lost", 10_000, 20, 3_000, 10, None),
        ("100,000 x 50, expiry", 100_000, 50, 3_000, 0, Some(2_000.0)),
        ("1,000,000 x 5, expiry", 1_000_000, 5, 3_000, 0, Some(5_000.0)),
    ];
    for (name, operations, clients, ttl_ns, lost, bound) in rows {
        if operations > most {
            continue;
        }
        let shape = Shape { operations, clients, ttl_ns, lost, waits: false };
        let valid = busy_history(shape, SEED)?;
        for corrupted in [Corrupted(false), Corrupted(true)] {
            let history = if corrupted.0 { &one_late_answer_changed(&valid) } else { &valid };
            let time = median_ms(expected(corrupted), || {
                lock::check(history, &lock::Options::default()).verdict.word()
            })?;
            let name = format!("checkers/lock, {name}, {corrupted}");
            match bound {
                Some(bound) => report.judged(name, time, "ms", Target::AtMost(bound)),
                None => report.shown(name, time, "ms"),
            }
        }
    }
    Ok(())
}

/// The history with one answer late in it that no lock gives.
fn one_late_answer_changed(history: &History) -> History {
    let late = history.len() * 9 / 10;
    let mut changed = false;
    history.map(|op| {
        let Some((_, answer)) = op.returned.as_mut().filter(|_| !changed && op.id.0 > late) else {
            return;
        };
        match answer {
            Answer::Released => *answer = Answer::NotHeld,
            Answer::Held { .. } => {
                *answer = Answer::Granted { token: u64::MAX / 2, ttl_ns: 1_000_000 };
            }
            _ => return,
        }
        changed = true;
    })
}

/// A history of a register under load that is fine.
pub(crate) fn some_registers(operations: usize) -> Vec<Recorded<RegisterOp, RegisterRet>> {
    register_history(RegisterShape { operations, clients: 5 }, Corrupted(false), SEED).recorded
}

fn maps(report: &mut Report) -> Outcome<()> {
    let ten = MapShape { operations: 400, clients: 10 };
    let fifty = MapShape { operations: 2_000, clients: 50 };
    for corrupted in [Corrupted(false), Corrupted(true)] {
        let history = map_history(ten, corrupted, SEED);
        map_row(report, "400 x 10, by key", &Kv, &history, corrupted, None)?;
        map_row(report, "400 x 10, as a whole", &WholeKv, &history, corrupted, None)?;
        let history = map_history(fifty, corrupted, SEED);
        let bound = corrupted.0.then_some(Target::AtMost(100.0));
        map_row(report, "2,000 x 50, by key", &Kv, &history, corrupted, bound)?;
    }
    let why = "needs Go, and no program is written for it";
    report.absent("checkers/map, by key, Porcupine / ours".into(), why);
    Ok(())
}

fn map_row<M: Model<Op = KvOp, Ret = KvRet>>(
    report: &mut Report,
    name: &str,
    model: &M,
    history: &[Recorded<KvOp, KvRet>],
    corrupted: Corrupted,
    target: Option<Target>,
) -> Outcome<()> {
    let time = median_ms(expected(corrupted), || general(model, history))?;
    let name = format!("checkers/map, {name}, {corrupted}");
    match target {
        Some(target) => report.judged(name, time, "ms", target),
        None => report.shown(name, time, "ms"),
    }
    Ok(())
}

fn general<M: Model>(model: &M, history: &[Recorded<M::Op, M::Ret>]) -> &'static str {
    match linear::check(model, history, Limits::default()).verdict {
        linear::Verdict::Ok => "ok",
        linear::Verdict::Violation(_) => "violation",
        linear::Verdict::Unknown(_) => "unknown",
    }
}

fn registers(report: &mut Report) -> Outcome<()> {
    let shapes = [(2, 100), (2, 1_000), (5, 100), (5, 1_000), (10, 100), (10, 1_000), (20, 50)];
    for (clients, operations) in shapes {
        let shape = RegisterShape { operations, clients };
        for corrupted in [Corrupted(false), Corrupted(true)] {
            let history = register_history(shape, corrupted, SEED).recorded;
            let model = Register { initial: 0 };
            let ours = median_ms(expected(corrupted), || general(&model, &history))?;
            let name = format!("checkers/register, {operations} x {clients}, {corrupted}");
            report.shown(name.clone(), ours, "ms");
            peers::compare(report, &name, shape, corrupted, ours)?;
        }
    }
    Ok(())
}
