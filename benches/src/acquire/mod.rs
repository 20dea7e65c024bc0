//! Uncontended: one acquire and one release, on keys that nobody else wants.

mod latency;
mod pooled;
mod rate;
mod subject;
mod trips;

use std::sync::Arc;

use leasehold::Locker;
use leasehold_redis::RedisBackend;

pub(crate) use self::subject::{Pairs, TTL, TTL_MS};
use self::{
    rate::{Rates, interleaved},
    subject::{Bare, Connection},
};
use crate::{
    Outcome,
    effort::Effort,
    peers,
    report::{Report, Target},
    server::Server,
};

/// Ours through one connection, and ours as users have it.
const BACKEND: &str = "leasehold";
const LOCKER: &str = "leasehold, through a locker";
const RAW: &str = "raw";
const FENCED: &str = "raw with a fence";

pub(crate) async fn bench(report: &mut Report, effort: Effort) -> Outcome<()> {
    let server = Server::start().await?;
    let url = server.tcp_url().await?;
    trips::bench(report, &url, effort).await?;
    latency::bench(report, &url, effort).await?;
    for tasks in [1, 16, 64, 256] {
        rates(report, &url, tasks, effort).await?;
    }
    pooled::bench(report, &url, effort).await?;
    connections(report, &url, effort).await?;
    others(report, &url, effort).await
}

async fn backend(url: &str, lanes: usize) -> Outcome<RedisBackend> {
    // A server that has just started is in quarantine: nothing was lost here.
    Ok(RedisBackend::builder(url).without_quarantine().lanes(lanes).connect().await?)
}

/// Ours and the bare commands, each over one connection.
async fn subjects(url: &str) -> Outcome<Vec<(String, Arc<dyn Pairs>)>> {
    let connection = Connection::open(url).await?;
    let locker = Locker::typed(backend(url, 1).await?);
    Ok(vec![
        (RAW.into(), Arc::new(Bare::raw(connection.clone()))),
        (FENCED.into(), Arc::new(Bare::fenced(connection))),
        (BACKEND.into(), Arc::new(backend(url, 1).await?)),
        (LOCKER.into(), Arc::new(locker)),
    ])
}

async fn rates(report: &mut Report, url: &str, tasks: usize, effort: Effort) -> Outcome<()> {
    let rates = interleaved(&subjects(url).await?, &mut [], tasks, effort).await?;
    let (over_raw, over_fenced) = match tasks {
        64 => (Some(Target::AtLeast(0.75)), Some(Target::AtLeast(0.9))),
        256 => (None, Some(Target::AtLeast(0.8))),
        _ => (None, None),
    };
    for subject in [BACKEND, LOCKER] {
        for (bare, target) in [(RAW, over_raw), (FENCED, over_fenced)] {
            let name = format!("acquire/{tasks} tasks/pairs a second, {subject} over {bare}");
            let ratio = rates.ratio(subject, bare);
            match target {
                Some(target) => report.judged(name, ratio, "ratio", target),
                None => report.shown(name, ratio, "ratio"),
            }
        }
    }
    shown(report, &rates, &format!("acquire/{tasks} tasks"));
    Ok(())
}

fn shown(report: &mut Report, rates: &Rates, prefix: &str) {
    for (name, rate) in rates.medians() {
        report.shown(format!("{prefix}/{name}"), rate.round(), "pairs/s");
    }
}

/// More connections isolate keys; they should cost nothing, and make nothing faster.
async fn connections(report: &mut Report, url: &str, effort: Effort) -> Outcome<()> {
    let mut subjects: Vec<(String, Arc<dyn Pairs>)> = Vec::new();
    for lanes in [1, 2, 4] {
        subjects.push((lanes.to_string(), Arc::new(backend(url, lanes).await?)));
    }
    let rates = interleaved(&subjects, &mut [], 64, effort).await?;
    for lanes in ["2", "4"] {
        let name = format!("acquire/64 tasks/{lanes} connections over 1");
        report.shown(name, rates.ratio(lanes, "1"), "ratio");
    }
    Ok(())
}

/// How many times as many pairs as other libraries, 64 tasks each.
async fn others(report: &mut Report, url: &str, effort: Effort) -> Outcome<()> {
    let mut here = subjects(url).await?;
    let (mut programs, mut absent) = (Vec::new(), Vec::new());
    for peer in peers::ALL {
        match peer.start(url, 64).await {
            Ok(peers::Started::Here(pairs)) => here.push((peer.name.into(), pairs)),
            Ok(peers::Started::Program(program)) => programs.push((peer.name.into(), *program)),
            Err(error) => absent.push((peer, error.to_string())),
        }
    }
    let rates = interleaved(&here, &mut programs, 64, effort).await?;
    let name = |peer: &peers::Peer| format!("acquire/64 tasks/pairs a second over {}", peer.name);
    for peer in peers::ALL {
        match absent.iter().find(|(of, _)| of.name == peer.name) {
            Some((_, why)) => report.absent_judged(name(peer), Target::AtLeast(peer.times), why),
            None => {
                let ratio = rates.ratio(BACKEND, peer.name);
                report.judged(name(peer), ratio, "ratio", Target::AtLeast(peer.times));
            }
        }
    }
    shown(report, &rates, "acquire/64 tasks, beside the others");
    Ok(())
}
