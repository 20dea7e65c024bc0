//! A hundred thousand leases kept alive by one process, and by a task for each.

use std::time::Duration;

use futures::{StreamExt as _, future::BoxFuture, stream};
use leasehold::{AcquireRequest, Config, Guard, LockBackend as _, LockKey, Locker, Ttl};
use leasehold_redis::RedisBackend;

use crate::{
    Outcome,
    effort::Effort,
    measure,
    report::{Report, Target},
    server::Server,
};

/// How many leases, for how long each, and for how long they are watched: three renewals of each.
struct Setting {
    leases: usize,
    ttl: Duration,
    watched: Duration,
}

/// What keeping alive took: shares of a core in percent, and bytes a lease.
struct Cost {
    client: f64,
    server: f64,
    bytes: f64,
    lost: usize,
}

/// A machine that does other things too answers late; that is not what is measured.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn bench(
    report: &mut Report,
    effort: Effort,
    leases: Option<usize>,
) -> Outcome<()> {
    let seconds = Duration::from_secs;
    let setting = Setting {
        leases: leases.unwrap_or_else(|| effort.pick(100_000, 2_000)).max(1),
        ttl: effort.pick(seconds(30), seconds(3)),
        watched: effort.pick(seconds(30), seconds(2)),
    };
    // What is compared is kept to the end: memory that was given back would be used again, and count for nothing.
    let bare = hold(&setting, false).await?;
    let (kept, ours) = ours(&setting).await?;
    let theirs = tasks(&setting).await?;
    std::mem::forget((bare.guards, kept));
    let row = |what: &str| format!("keepalive/{} leases/{what}", setting.leases);
    report.judged(row("lost"), ours.lost as f64, "leases", Target::AtMost(0.0));
    let ratio = ours.client / theirs.client;
    report.judged(row("CPU over a task per lease"), ratio, "ratio", Target::AtMost(0.35));
    // What a guard takes that is not kept alive is no cost of keeping alive.
    let keeping = (ours.bytes - bare.bytes).max(0.0);
    let (name, target) = (row("memory over a task per lease"), Target::AtMost(0.125));
    if theirs.bytes > 0.0 {
        report.judged(name, keeping / theirs.bytes, "ratio", target);
    } else {
        report.absent_judged(name, target, "too few leases to see");
    }
    for (who, cost) in [("ours", &ours), ("a task per lease", &theirs)] {
        report.shown(row(&format!("client CPU, {who}")), cost.client, "% of core");
        report.shown(row(&format!("server CPU, {who}")), cost.server, "% of core");
    }
    report.shown(row("memory to keep alive, ours"), keeping, "B a lease");
    report.shown(row("memory, a task per lease"), theirs.bytes, "B a lease");
    report.shown(row("memory, guard and key included"), ours.bytes, "B a lease");
    Ok(())
}

/// Held leases, and the server that holds them.
struct Held {
    guards: Vec<Guard>,
    server: Server,
    bytes: f64,
    _locker: Locker,
}

async fn backend(server: &Server) -> Outcome<RedisBackend> {
    let backend = RedisBackend::builder(server.url()).without_quarantine();
    Ok(backend.response_timeout(PATIENCE).connect().await?)
}

async fn hold(setting: &Setting, keep_alive: bool) -> Outcome<Held> {
    let server = Server::start().await?;
    let backend = backend(&server).await?;
    // Of a short ttl, as much as it allows.
    let patience = PATIENCE.min(setting.ttl / 3);
    let config = Config::builder().ttl(setting.ttl).op_timeout(patience);
    let config = config.keep_alive(keep_alive).build()?;
    let locker = Locker::with_config(backend, config);
    let before = resident_bytes()?;
    let acquiring = (0..setting.leases).map(|n| locker.lock(format!("kept:{n}")).acquire());
    let guards: Vec<leasehold::Result<Guard>> =
        stream::iter(acquiring).buffer_unordered(256).collect().await;
    let guards = guards.into_iter().collect::<Result<Vec<_>, _>>()?;
    let bytes = resident_bytes()?.saturating_sub(before) as f64 / setting.leases as f64;
    Ok(Held { guards, server, bytes, _locker: locker })
}

async fn ours(setting: &Setting) -> Outcome<(Held, Cost)> {
    let held = hold(setting, true).await?;
    // The first renewals of all have begun by then.
    tokio::time::sleep(setting.ttl / 3).await;
    let (client, server) = watch(setting, &held.server).await?;
    let lost = held.guards.iter().filter(|guard| !guard.is_valid()).count();
    let bytes = held.bytes;
    Ok((held, Cost { client, server, bytes, lost }))
}

/// Each lease has a task that sleeps for a third of the ttl and extends it, as is commonly done.
async fn tasks(setting: &Setting) -> Outcome<Cost> {
    let server = Server::start().await?;
    let backend = backend(&server).await?;
    let ttl = Ttl::new(setting.ttl)?;
    let runtime = backend.runtime().clone();
    let acquiring = (0..setting.leases).map(|n| {
        let (backend, id) = (backend.clone(), runtime.lease_id());
        let acquired: BoxFuture<'static, Outcome<_>> = Box::pin(async move {
            let request = AcquireRequest::new(LockKey::new(format!("task:{n}"))?, id, ttl);
            backend.try_acquire(&request).await?;
            Ok((request.key().clone(), id))
        });
        acquired
    });
    let leases: Vec<_> = stream::iter(acquiring).buffer_unordered(256).collect().await;
    let leases = leases.into_iter().collect::<Outcome<Vec<_>>>()?;
    let before = resident_bytes()?;
    let renewing: Vec<_> = leases
        .into_iter()
        .map(|(key, id)| {
            let backend = backend.clone();
            // Spread, as leases that were not taken all at once are.
            let mut pause = setting.ttl.mul_f64(runtime.entropy().unit() / 3.0);
            let period = setting.ttl / 3;
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(pause).await;
                    let _lost_or_failed = backend.extend(&key, id, ttl).await;
                    pause = period;
                }
            })
        })
        .collect();
    tokio::time::sleep(setting.ttl / 3).await;
    let bytes = resident_bytes()?.saturating_sub(before) as f64 / setting.leases as f64;
    let (client, server) = watch(setting, &server).await?;
    renewing.into_iter().for_each(|task| task.abort());
    Ok(Cost { client, server, bytes, lost: 0 })
}

/// The shares of a core that this process and the server use.
async fn watch(setting: &Setting, server: &Server) -> Outcome<(f64, f64)> {
    let (client, redis) = (measure::worked(), cpu_seconds(&server.pid())?);
    tokio::time::sleep(setting.watched).await;
    let watched = setting.watched.as_secs_f64();
    let client = measure::worked().saturating_sub(client).as_secs_f64();
    let redis = cpu_seconds(&server.pid())? - redis;
    Ok((client / watched * 100.0, redis / watched * 100.0))
}

pub(crate) fn resident_bytes() -> Outcome<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split_whitespace().nth(1).ok_or("no resident size in statm")?;
    Ok(resident.parse::<u64>()? * rustix::param::page_size() as u64)
}

/// User and system time of a process so far.
fn cpu_seconds(process: &str) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(") ").next().ok_or("no name in stat")?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
