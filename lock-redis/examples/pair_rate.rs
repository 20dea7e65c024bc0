//! How many acquire and release pairs a second, against the bare commands on a connection of the same settings in the
//! same run:
//!
//! - `raw`: `SET NX PX`, then compare-and-delete by `EVALSHA`; no fence, no queue;
//! - `raw+fence`: the same with a token from the server's clock, minted in a script;
//! - `leasehold`: the backend, with all it guarantees.
//!
//! The CPU time of the server and of this process per pair tell more than the rate on a machine that does other
//! things too.
//!
//! `cargo run --release -p leasehold-redis --example pair_rate`; it starts its own server.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::large_enum_variant,
    reason = "a program for people"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold::{AcquireRequest, LockBackend, Runtime, TryAcquire};
use leasehold_redis::RedisBackend;
use redis::{Script, aio::MultiplexedConnection};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(700);
const KEYS_PER_TASK: usize = 16;

const DELETE_IF_MINE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
const FENCED: &str = "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then \
local t = redis.call('TIME') local n = t[1] * 1000000 + t[2] \
local last = tonumber(redis.call('GET', KEYS[2]) or 0) if n <= last then n = last + 1 end \
redis.call('SET', KEYS[2], string.format('%.0f', n), 'PX', 86400000) return n end return 0";

#[derive(Clone)]
enum Subject {
    Raw(MultiplexedConnection, Arc<str>),
    Fenced(MultiplexedConnection, Arc<str>, Arc<str>),
    Leasehold(Arc<RedisBackend>),
}

impl Subject {
    async fn pair(&mut self, runtime: &Runtime, name: &str) {
        let id = runtime.lease_id();
        match self {
            Self::Raw(connection, delete) => {
                let id = id.expose_hex();
                let taken: bool = redis::cmd("SET")
                    .arg(name)
                    .arg(&id)
                    .arg("NX")
                    .arg("PX")
                    .arg(30_000)
                    .query_async(connection)
                    .await
                    .unwrap();
                assert!(taken);
                delete_if_mine(connection, delete, name, &id).await;
            }
            Self::Fenced(connection, acquire, delete) => {
                let id = id.expose_hex();
                let fence = format!("{{{name}}}:f");
                let token: u64 = redis::cmd("EVALSHA")
                    .arg(&**acquire)
                    .arg(2)
                    .arg(name)
                    .arg(fence)
                    .arg(&id)
                    .arg(30_000)
                    .query_async(connection)
                    .await
                    .unwrap();
                assert!(token > 0);
                delete_if_mine(connection, delete, name, &id).await;
            }
            Self::Leasehold(backend) => {
                let key = support::key(name);
                let request = AcquireRequest::new(key.clone(), id, support::ttl(30_000));
                let taken = backend.try_acquire(&request).await.unwrap();
                assert!(matches!(taken, TryAcquire::Granted(_)));
                backend.release(&key, id).await.unwrap();
            }
        }
    }
}

async fn delete_if_mine(
    connection: &mut MultiplexedConnection,
    script: &str,
    name: &str,
    id: &str,
) {
    let deleted: u64 = redis::cmd("EVALSHA")
        .arg(script)
        .arg(1)
        .arg(name)
        .arg(id)
        .query_async(connection)
        .await
        .unwrap();
    assert_eq!(deleted, 1);
}

/// The pairs, and the seconds they took, of `tasks` tasks, each on keys of its own.
async fn rate(runtime: &Runtime, subject: &Subject, tasks: usize) -> (f64, f64) {
    let pairs = Arc::new(AtomicU64::new(0));
    let start = runtime.now();
    let end = start + ROUND;
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let (runtime, mut subject) = (runtime.clone(), subject.clone());
            let pairs = Arc::clone(&pairs);
            tokio::spawn(async move {
                let names: Vec<_> =
                    (0..KEYS_PER_TASK).map(|n| format!("order:{task}:{n}")).collect();
                for name in names.iter().cycle() {
                    if runtime.now() >= end {
                        break;
                    }
                    subject.pair(&runtime, name).await;
                    pairs.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in running {
        task.await.unwrap();
    }
    (pairs.load(Ordering::Relaxed) as f64, runtime.now().since(start).as_secs_f64())
}

/// The CPU time that the server and this process have used, in µs; the second from Linux alone.
fn cpu(server: &support::RedisServer) -> [f64; 2] {
    let part = |name| server.info("cpu", name).unwrap().parse::<f64>().unwrap();
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let own = stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
    [(part("used_cpu_user") + part("used_cpu_sys")) * 1e6, own.unwrap_or(f64::NAN) / 1e3]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = support::RedisServer::start();
    let runtime = Runtime::tokio();
    let backend = support::builder(&server).lanes(1).connect().await.unwrap();
    let config = redis::AsyncConnectionConfig::new()
        .set_response_timeout(Some(Duration::from_secs(5)))
        .set_pipeline_buffer_size(1_024);
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection =
        client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
    let mut loaded = BTreeMap::new();
    for script in [DELETE_IF_MINE, FENCED] {
        let sha: String = Script::new(script).load_async(&mut connection).await.unwrap();
        loaded.insert(script, Arc::<str>::from(sha));
    }
    let delete = Arc::clone(&loaded[DELETE_IF_MINE]);
    let subjects = [
        ("raw", Subject::Raw(connection.clone(), Arc::clone(&delete))),
        ("raw+fence", Subject::Fenced(connection, Arc::clone(&loaded[FENCED]), delete)),
        ("leasehold", Subject::Leasehold(Arc::new(backend))),
    ];
    println!("acquire+release pairs a second, and CPU time per pair; medians of {ROUNDS} rounds\n");
    println!("| tasks | | pairs/s | over raw | over raw+fence | server µs | client µs |");
    println!("|---|---|---|---|---|---|---|");
    for tasks in [1, 64] {
        let mut rounds = BTreeMap::<_, Vec<Round>>::new();
        for _ in 0..ROUNDS {
            // In turn, so that whatever else the machine does falls on all of them.
            for (name, subject) in &subjects {
                let before = cpu(&server);
                let (pairs, seconds) = rate(&runtime, subject, tasks).await;
                let after = cpu(&server);
                rounds.entry(*name).or_default().push(Round {
                    rate: pairs / seconds,
                    server: (after[0] - before[0]) / pairs,
                    client: (after[1] - before[1]) / pairs,
                });
            }
        }
        let of =
            |name: &str, part: fn(&Round) -> f64| median(rounds[name].iter().map(part).collect());
        for (name, _) in &subjects {
            let rate = of(name, |round| round.rate);
            println!(
                "| {tasks} | {name} | {rate:.0} | {:.2} | {:.2} | {:.1} | {:.1} |",
                rate / of("raw", |round| round.rate),
                rate / of("raw+fence", |round| round.rate),
                of(name, |round| round.server),
                of(name, |round| round.client),
            );
        }
    }
}

struct Round {
    rate: f64,
    server: f64,
    client: f64,
}
