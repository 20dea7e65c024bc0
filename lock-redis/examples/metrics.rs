//! Serves the metrics of a small crowd of lockers to Prometheus.
//!
//! ```sh
//! cargo run -p leasehold-redis --example metrics -- --url redis://127.0.0.1:6379 --listen 127.0.0.1:9000
//! curl http://127.0.0.1:9000/metrics
//! ```
//!
//! Without a url the locks are kept in memory. `docs/dashboard.json` shows what it serves in Grafana.
#![allow(clippy::print_stdout, reason = "it reports to the person who runs it")]

use std::{error::Error, net::SocketAddr, time::Duration};

use clap::Parser;
use leasehold::{Locker, Runtime, observe};
use leasehold_memory::MemoryBackend;
use leasehold_redis::RedisBackend;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

/// Serves the metrics of a small crowd of lockers to Prometheus.
#[derive(Debug, Parser)]
struct Args {
    /// The server to lock on; in memory if there is none.
    #[arg(long)]
    url: Option<String>,
    /// Where to serve the metrics.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// How many seconds to run; for ever if it is not said. At the end the metrics are printed.
    #[arg(long)]
    seconds: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();

    // The recorder first: what is counted before it is there is lost.
    let (recorder, exporter) = PrometheusBuilder::new()
        .with_http_listener(args.listen)
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), observe::SECONDS_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_ahead".into()), observe::COUNT_BUCKETS)?
        .build()?;
    let page = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    tokio::spawn(exporter);
    println!("serving http://{}/metrics", args.listen);

    let locker = match args.url {
        Some(url) => Locker::new(RedisBackend::connect(url).await?),
        None => Locker::new(MemoryBackend::new()),
    };
    let runtime = locker.runtime().clone();
    for _ in 0..8 {
        tokio::spawn(work(locker.clone(), runtime.clone()));
    }
    match args.seconds {
        Some(seconds) => runtime.sleep(Duration::from_secs(seconds)).await,
        None => std::future::pending().await,
    }
    let left = locker.shutdown(Duration::from_secs(1)).await;
    println!("{}", page.render());
    println!("shut down {}", if left.is_clean() { "cleanly" } else { "with leases left" });
    Ok(())
}

/// Takes one of four keys, again and again: there is always somebody in the way.
async fn work(locker: Locker, runtime: Runtime) {
    let some =
        |most: u32| Duration::from_millis(1).mul_f64(runtime.entropy().unit() * f64::from(most));
    loop {
        let key = format!("demo:{}", some(4).as_micros() / 1_000);
        let patience = some(200);
        let body = async |_lease| runtime.sleep(some(50)).await;
        let done = locker.lock(key).wait(patience).keep_alive().with(body).await;
        match done {
            Err(error) if error.kind() == leasehold::ErrorKind::Closed => return,
            // A timeout is counted where it happens.
            Ok(()) | Err(_) => runtime.sleep(some(20)).await,
        }
    }
}
