//! How long the checkers take: `cargo run --release -p leasehold-testkit --example checker_figures`.

#![expect(clippy::print_stdout, reason = "a command")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leasehold_testkit::check::Limits;
use leasehold_testkit::check::differential::{Shape, busy_history};
use leasehold_testkit::check::linear::{self, Moment, Recorded};
use leasehold_testkit::check::lock::{Options, check};
use leasehold_testkit::history::{History, HistoryError, Outcome};
use leasehold_testkit::model::{Kv, KvOp, KvRet, Model, WholeKv};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

fn best(history: &History, times: u32) -> (Duration, String) {
    let mut least = Duration::MAX;
    let mut said = String::new();
    for _ in 0..times {
        let started = Instant::now();
        let checked = check(history, &Options::default());
        least = least.min(started.elapsed());
        said = format!(
            "{} explored={} widest={}",
            checked.verdict.word(),
            checked.explored,
            checked.widest
        );
    }
    (least, said)
}

/// The history with one grant late in it answered by the token before.
fn corrupted(history: &History) -> History {
    let late = history.len() * 9 / 10;
    let mut changed = false;
    history.map(|op| {
        if let (false, true, Some((_, outcome))) = (changed, op.id.0 > late, &mut op.returned)
            && matches!(outcome, Outcome::Held { .. } | Outcome::Released)
        {
            *outcome = match outcome {
                Outcome::Released => Outcome::NotHeld,
                _ => Outcome::Granted { token: u64::MAX / 2, ttl_ns: 1_000_000 },
            };
            changed = true;
        }
    })
}

/// Clients that get, put and append on ten keys of a correct map; one late answer changed if `bad`.
fn map_history(operations: usize, clients: usize, bad: bool) -> Vec<Recorded<KvOp, KvRet>> {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut values: BTreeMap<usize, Arc<str>> = BTreeMap::new();
    let mut made: Vec<Recorded<KvOp, KvRet>> = Vec::new();
    let mut running: Vec<Option<(usize, Option<KvRet>)>> = vec![None; clients];
    for event in 0.. {
        let client = rng.random_range(0..clients);
        let moment = Moment::event(event);
        match running[client].take() {
            None if made.len() < operations => {
                let (name, text) = (rng.random_range(0..10).to_string(), format!("x{event}y"));
                let (key, text): (Arc<str>, Arc<str>) = (name.into(), text.into());
                let op = match rng.random_range(0..4) {
                    0 | 1 => KvOp::Get(key),
                    2 => KvOp::Append(key, text),
                    _ if rng.random_bool(0.3) => KvOp::Put(key, text),
                    _ => KvOp::Append(key, text),
                };
                running[client] = Some((made.len(), None));
                made.push(Recorded { op, ret: None, invoked: moment, closed: None });
            }
            None if running.iter().all(Option::is_none) => break,
            None => {}
            Some((index, None)) => {
                let op = &made[index].op;
                let key = Kv.part(op).parse().unwrap_or(0);
                let value = values.entry(key).or_insert_with(|| Kv.init());
                let ret = match op {
                    KvOp::Get(_) => KvRet::Value(Arc::clone(value)),
                    KvOp::Put(_, text) => {
                        *value = Arc::clone(text);
                        KvRet::Done
                    }
                    KvOp::Append(_, text) => {
                        *value = format!("{value}{text}").into();
                        KvRet::Done
                    }
                };
                running[client] = Some((index, Some(ret)));
            }
            Some((index, Some(ret))) => {
                made[index].ret = Some(ret);
                made[index].closed = Some(moment);
            }
        }
    }
    if bad
        && let Some(read) = made
            .iter_mut()
            .skip(operations * 9 / 10)
            .find(|read| Kv.is_pure(&read.op, &KvRet::Done))
    {
        read.ret = Some(KvRet::Value("nobody wrote this".into()));
    }
    made
}

fn general<M: Model<Op = KvOp, Ret = KvRet>>(
    name: &str,
    model: &M,
    operations: usize,
    clients: usize,
) {
    for bad in [false, true] {
        let history = map_history(operations, clients, bad);
        let started = Instant::now();
        let checked =
            linear::check(model, &history, Limits { explored: 3_000_000, ..Limits::default() });
        let time = started.elapsed();
        let verdict = match checked.verdict {
            linear::Verdict::Ok => "ok",
            linear::Verdict::Violation(_) => "violation",
            linear::Verdict::Unknown(_) => "unknown",
        };
        println!("{name:32} {time:>10.2?}  {verdict} explored={}", checked.explored);
    }
}

fn main() -> Result<(), HistoryError> {
    let never = 1 << 50;
    let shapes = [
        ("500 x 5, no expiry", 500, 5, never, 0, false),
        ("500 x 50, no expiry", 500, 50, never, 0, false),
        ("500 x 50, expiry", 500, 50, 3_000, 0, false),
        ("5,000 x 20, no expiry", 5_000, 20, never, 0, false),
        ("100,000 x 5, expiry", 100_000, 5, 3_000, 0, false),
        ("100,000 x 50, expiry", 100_000, 50, 3_000, 0, false),
        ("100,000 x 50, expiry, waiting", 100_000, 50, 3_000, 0, true),
        ("1,000,000 x 5, expiry", 1_000_000, 5, 3_000, 0, false),
        ("10,000 x 5, expiry, 1 % lost", 10_000, 5, 3_000, 10, false),
        ("100,000 x 5, expiry, 1 % lost", 100_000, 5, 3_000, 10, false),
    ];
    for (name, operations, clients, ttl_ns, lost, waits) in shapes {
        let history = busy_history(Shape { operations, clients, ttl_ns, lost, waits }, 1)?;
        let times = if operations > 200_000 { 2 } else { 5 };
        let (time, said) = best(&history, times);
        println!("{name:32} {time:>10.2?}  {said}");
        let (time, said) = best(&corrupted(&history), times);
        println!("{:32} {time:>10.2?}  {said}", "  one late answer changed");
    }
    general("map, 340 x 10, by key", &Kv, 340, 10);
    general("map, 340 x 10, as a whole", &WholeKv, 340, 10);
    general("map, 1,700 x 50, by key", &Kv, 1_700, 50);
    Ok(())
}
