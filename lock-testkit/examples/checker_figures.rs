//! How long the checkers take: `cargo run --release -p leasehold-testkit --example checker_figures`.

#![expect(clippy::print_stdout, reason = "a command")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use leasehold_testkit::check::Limits;
use leasehold_testkit::check::linear::{self, Moment, Recorded};
use leasehold_testkit::check::lock::{Options, check};
use leasehold_testkit::history::{
    Call, HeldReason, History, HistoryBuilder, HistoryError, LeaseRequest, LeaseView, OpId, Outcome,
};
use leasehold_testkit::model::{Kv, KvOp, KvRet, Model, Window};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// What a simulated run looks like.
#[derive(Clone, Copy)]
struct Shape {
    operations: usize,
    clients: usize,
    ttl_ns: u64,
    /// How many answers of a thousand are lost.
    lost: u32,
    /// Whether acquires wait in a queue.
    waits: bool,
}

struct Client {
    lease: Arc<str>,
    leases: usize,
    holds: bool,
    op: OpId,
    call: Option<Call>,
    outcome: Option<Outcome>,
}

struct Service {
    holder: Option<(Arc<str>, u64, u64)>,
    token: u64,
    key: Arc<str>,
}

impl Service {
    fn live(&mut self, now: u64) -> Option<&mut (Arc<str>, u64, u64)> {
        self.holder.as_mut().filter(|(_, _, ends)| now < *ends)
    }

    fn serve(&mut self, now: u64, call: &Call) -> Option<Outcome> {
        let token = self.token + 1;
        match call {
            Call::TryAcquire(request) | Call::Acquire { request, .. } => {
                if self.live(now).is_some() {
                    return (!call.waits()).then_some(Outcome::Held {
                        reason: HeldReason::Lease,
                    });
                }
                self.token = token;
                self.holder = Some((Arc::clone(&request.lease), token, now + request.ttl_ns));
                Some(Outcome::Granted {
                    token,
                    ttl_ns: request.ttl_ns,
                })
            }
            Call::Extend { lease, ttl_ns, .. } => match self.live(now) {
                Some((holder, _, ends)) if holder == lease => {
                    *ends = (now + ttl_ns).max(*ends);
                    Some(Outcome::Extended)
                }
                _ => Some(Outcome::Lost),
            },
            Call::Release { lease, .. } => match self.live(now) {
                Some((holder, _, _)) if holder == lease => {
                    self.holder = None;
                    Some(Outcome::Released)
                }
                _ => Some(Outcome::NotHeld),
            },
            Call::Inspect { .. } => {
                let view = |(_, token, _): &mut (Arc<str>, u64, u64)| LeaseView {
                    token: *token,
                    mode: None,
                    remaining_ns: None,
                };
                let leases = self.live(now).map(view).into_iter().collect();
                Some(Outcome::State {
                    leases,
                    waiters: None,
                })
            }
            Call::Revoke { .. } => None,
        }
    }
}

fn next_call(
    rng: &mut SmallRng,
    number: usize,
    client: &mut Client,
    shape: Shape,
    now: u64,
    key: &Arc<str>,
) -> Call {
    let (lease, key) = (Arc::clone(&client.lease), Arc::clone(key));
    if client.holds {
        return match rng.random_range(0..10) {
            0..=3 => Call::Extend {
                lease,
                key,
                ttl_ns: shape.ttl_ns,
            },
            4..=7 => Call::Release { lease, key },
            _ => Call::Inspect { key },
        };
    }
    if rng.random_bool(0.2) {
        return Call::Inspect { key };
    }
    client.leases += 1;
    client.lease = format!("c{number}.{}", client.leases).into();
    let request = LeaseRequest::exclusive(Arc::clone(&client.lease), key, shape.ttl_ns);
    if shape.waits {
        Call::Acquire {
            request,
            deadline_ns: now + 20 * shape.ttl_ns,
        }
    } else {
        Call::TryAcquire(request)
    }
}

/// A correct service under `shape.clients` clients, each with one operation open nearly always.
fn simulate(shape: Shape, seed: u64) -> Result<History, HistoryError> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut builder = HistoryBuilder::new();
    let key: Arc<str> = "orders/42".into();
    let mut service = Service {
        holder: None,
        token: 0,
        key: Arc::clone(&key),
    };
    let names: Vec<Arc<str>> = (0..shape.clients)
        .map(|number| format!("c{number}").into())
        .collect();
    let mut clients: Vec<Client> = names
        .iter()
        .map(|name| Client {
            lease: Arc::clone(name),
            leases: 0,
            holds: false,
            op: OpId(0),
            call: None,
            outcome: None,
        })
        .collect();
    let mut agenda: BinaryHeap<Reverse<(u64, usize, u8)>> = (0..shape.clients)
        .map(|client| Reverse((client as u64, client, 0)))
        .collect();
    let mut invoked = 0;
    while let Some(Reverse((now, number, phase))) = agenda.pop() {
        let client = &mut clients[number];
        let pause = rng.random_range(20..400);
        match phase {
            0 if invoked < shape.operations => {
                let call = next_call(&mut rng, number, client, shape, now, &service.key);
                client.op = builder.invoke(now, Arc::clone(&names[number]), call.clone())?;
                client.call = Some(call);
                invoked += 1;
                agenda.push(Reverse((now + pause, number, 1)));
            }
            0 => {}
            1 => {
                let Some(call) = &client.call else { continue };
                let outcome = service.serve(now, call);
                let waits = matches!(call, Call::Acquire { deadline_ns, .. } if *deadline_ns > now);
                if outcome.is_none() && waits {
                    agenda.push(Reverse((now + 50, number, 1)));
                } else {
                    client.outcome = Some(outcome.unwrap_or(Outcome::TimedOut));
                    agenda.push(Reverse((now + pause, number, 2)));
                }
            }
            _ => {
                let Some(outcome) = client.outcome.take() else {
                    continue;
                };
                let lost = rng.random_range(0..1_000) < shape.lost;
                client.holds = match outcome {
                    Outcome::Granted { .. } => true,
                    Outcome::Lost | Outcome::Released | Outcome::NotHeld => false,
                    _ => client.holds,
                } && !lost;
                let outcome = if lost { Outcome::unknown() } else { outcome };
                builder.returned(now, client.op, outcome)?;
                agenda.push(Reverse((now + pause / 10, number, 0)));
            }
        }
    }
    Ok(builder.finish())
}

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
                _ => Outcome::Granted {
                    token: u64::MAX / 2,
                    ttl_ns: 1_000_000,
                },
            };
            changed = true;
        }
    })
}

/// The map of [`Kv`] as one object: no parts.
struct WholeMap;

impl Model for WholeMap {
    type State = BTreeMap<Arc<str>, Arc<str>>;
    type Op = KvOp;
    type Ret = KvRet;
    type Part = ();

    fn init(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        op: &KvOp,
        ret: Option<&KvRet>,
        window: Window,
        next: &mut Vec<Self::State>,
    ) {
        let key = Kv.part(op);
        let before = state.get(&key).cloned().unwrap_or_else(|| Kv.init());
        let mut after = Vec::new();
        Kv.step(&before, op, ret, window, &mut after);
        next.extend(after.into_iter().map(|value| {
            let mut state = state.clone();
            if value != before {
                state.insert(Arc::clone(&key), value);
            }
            state
        }));
    }

    fn is_pure(&self, op: &KvOp, ret: &KvRet) -> bool {
        Kv.is_pure(op, ret)
    }

    fn part(&self, _op: &KvOp) {}
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
                made.push(Recorded {
                    op,
                    ret: None,
                    invoked: moment,
                    closed: None,
                });
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
        let checked = linear::check(
            model,
            &history,
            Limits {
                explored: 3_000_000,
                ..Limits::default()
            },
        );
        let time = started.elapsed();
        let verdict = match checked.verdict {
            linear::Verdict::Ok => "ok",
            linear::Verdict::Violation(_) => "violation",
            linear::Verdict::Unknown(_) => "unknown",
        };
        println!(
            "{name:32} {time:>10.2?}  {verdict} explored={}",
            checked.explored
        );
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
        (
            "100,000 x 5, expiry, 1 % lost",
            100_000,
            5,
            3_000,
            10,
            false,
        ),
    ];
    for (name, operations, clients, ttl_ns, lost, waits) in shapes {
        let history = simulate(
            Shape {
                operations,
                clients,
                ttl_ns,
                lost,
                waits,
            },
            1,
        )?;
        let times = if operations > 200_000 { 2 } else { 5 };
        let (time, said) = best(&history, times);
        println!("{name:32} {time:>10.2?}  {said}");
        let (time, said) = best(&corrupted(&history), times);
        println!("{:32} {time:>10.2?}  {said}", "  one late answer changed");
    }
    general("map, 340 x 10, by key", &Kv, 340, 10);
    general("map, 340 x 10, as a whole", &WholeMap, 340, 10);
    general("map, 1,700 x 50, by key", &Kv, 1_700, 50);
    Ok(())
}
