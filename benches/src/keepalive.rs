//! A hundred thousand leases kept alive by one process.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use leasehold::{Config, Guard, Locker};
use leasehold_redis::RedisBackend;

use crate::{
    Outcome,
    report::{Report, Target},
    server::Server,
};

pub(crate) const LEASES: usize = 100_000;
const TTL: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(5);
/// Three renewals of each lease.
const WATCHED: Duration = Duration::from_secs(30);

pub(crate) async fn bench(report: &mut Report, leases: usize) -> Outcome<()> {
    let server = Server::start().await?;
    let backend = RedisBackend::builder(server.url()).without_quarantine();
    // A machine that does other things too answers late; that is not what is measured.
    let backend = backend.response_timeout(PATIENCE).connect().await?;
    let config = Config::builder().ttl(TTL).op_timeout(PATIENCE).keep_alive(true).build()?;
    let locker = Locker::with_config(backend, config);
    let empty = resident_bytes()?;
    let acquiring = (0..leases).map(|n| locker.lock(format!("kept:{n}")).acquire());
    let guards: Vec<leasehold::Result<Guard>> =
        stream::iter(acquiring).buffer_unordered(256).collect().await;
    let guards = guards.into_iter().collect::<Result<Vec<_>, _>>()?;
    let held = resident_bytes()?;
    // The first renewals of all have begun by then.
    tokio::time::sleep(TTL / 3).await;
    let (client, redis) = (cpu_seconds("self")?, cpu_seconds(&server.pid())?);
    tokio::time::sleep(WATCHED).await;
    let share = |after: f64, before: f64| (after - before) / WATCHED.as_secs_f64() * 100.0;
    let client = share(cpu_seconds("self")?, client);
    let redis = share(cpu_seconds(&server.pid())?, redis);
    let lost = guards.iter().filter(|guard| !guard.is_valid()).count();
    let row = |what: &str| format!("keepalive/{leases} leases/{what}");
    report.judged(row("lost"), lost as f64, "leases", Target::AtMost(0.0));
    report.shown(row("client CPU"), client, "% of core");
    report.shown(row("server CPU"), redis, "% of core");
    let bytes = held.saturating_sub(empty) as f64 / leases.max(1) as f64;
    report.shown(row("client memory, guard and key included"), bytes, "B a lease");
    std::mem::forget(guards);
    Ok(())
}

fn resident_bytes() -> Outcome<u64> {
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
