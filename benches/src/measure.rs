//! What the measurements share: a clock that all processes agree on, percentiles, fairness, the round trip.

use std::time::Duration;

use redis::{IntoConnectionInfo as _, aio::MultiplexedConnection, io::tcp::TcpSettings};
use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// One thread for the client: the server needs the other core.
pub(crate) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Nanoseconds of the machine's monotonic clock: the same in every process.
pub(crate) fn now_ns() -> u64 {
    let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// The processor time of this thread: what else the machine does hardly counts.
pub(crate) fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// The same in nanoseconds.
pub(crate) fn worked_ns() -> u64 {
    u64::try_from(worked().as_nanos()).unwrap_or(u64::MAX)
}

/// The value below which this share of the samples lies; sorts them.
pub(crate) fn percentile(samples: &mut [u64], share: f64) -> f64 {
    samples.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let at = ((samples.len().saturating_sub(1)) as f64 * share).round() as usize;
    samples.get(at).copied().unwrap_or_default() as f64
}

/// The median; NaN of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Jain's index: 1 if everybody got the same, 1/n if one got everything.
pub(crate) fn jain(shares: &[u64]) -> f64 {
    let sum: f64 = shares.iter().map(|&share| share as f64).sum();
    let squares: f64 = shares.iter().map(|&share| (share as f64).powi(2)).sum();
    if squares == 0.0 { 0.0 } else { sum.powi(2) / (shares.len() as f64 * squares) }
}

/// A connection with the settings that the backend uses.
pub(crate) async fn connect(url: &str) -> Outcome<MultiplexedConnection> {
    let nodelay = TcpSettings::default().set_nodelay(true);
    let info = url.into_connection_info()?.set_tcp_settings(nodelay);
    Ok(redis::Client::open(info)?.get_multiplexed_async_connection().await?)
}

/// The median of bare round trips, in ns.
pub(crate) async fn ping_p50(url: &str, pings: usize) -> Outcome<f64> {
    let mut connection = connect(url).await?;
    let mut samples = Vec::with_capacity(pings);
    for _ in 0..pings {
        let sent = now_ns();
        redis::cmd("PING").exec_async(&mut connection).await?;
        samples.push(now_ns() - sent);
    }
    Ok(percentile(&mut samples, 0.5))
}

/// A number from `INFO`.
pub(crate) async fn info(url: &str, section: &str, field: &str) -> Outcome<u64> {
    let mut connection = connect(url).await?;
    let info: String = redis::cmd("INFO").arg(section).query_async(&mut connection).await?;
    let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    Ok(line.ok_or_else(|| format!("no {field} in INFO {section}"))?.trim().parse()?)
}

/// Bare round trips one after the other during that time, in ns. Waits for its beginning.
pub(crate) async fn pings_until(url: &str, during: std::ops::Range<u64>) -> Outcome<Vec<u64>> {
    let mut connection = connect(url).await?;
    tokio::time::sleep(Duration::from_nanos(during.start.saturating_sub(now_ns()))).await;
    let mut samples = Vec::new();
    while now_ns() < during.end {
        let sent = now_ns();
        redis::cmd("PING").exec_async(&mut connection).await?;
        samples.push(now_ns() - sent);
    }
    Ok(samples)
}

/// Commands that clients have sent, and the server's time for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commands {
    pub(crate) calls: u64,
    pub(crate) micros: u64,
}

/// Of these commands, all since the server's start. Those inside of scripts count too: name none that scripts use.
pub(crate) async fn commands(url: &str, names: &[&str]) -> Outcome<Commands> {
    let mut connection = connect(url).await?;
    let info: String = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await?;
    let of_these = |line: &&str| {
        let name = line.strip_prefix("cmdstat_").and_then(|line| line.split(':').next());
        name.is_some_and(|name| names.contains(&name))
    };
    let field = |line: &str, name: &str| {
        let value = line.split(name).nth(1).and_then(|rest| rest.split(',').next());
        value.and_then(|value| value.parse::<u64>().ok()).unwrap_or_default()
    };
    let mut all = Commands { calls: 0, micros: 0 };
    for line in info.lines().filter(of_these) {
        all.calls += field(line, "calls=");
        all.micros += field(line, ",usec=");
    }
    Ok(all)
}
