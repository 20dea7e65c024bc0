//! How long one caller waits for a pair, over a bare round trip.

use std::sync::Arc;

use super::{BACKEND, LOCKER, RAW, subject::Pairs, subjects};
use crate::{
    Outcome,
    effort::Effort,
    measure,
    report::{Report, Target},
};

/// Alone, ours take two round trips and a little.
pub(super) async fn bench(report: &mut Report, url: &str, effort: Effort) -> Outcome<()> {
    let subjects = subjects(url).await?;
    let mut connection = measure::connect(url).await?;
    let (rounds, batch) = (effort.pick(40, 2), effort.pick(100, 20));
    let mut pings = Vec::new();
    let mut pairs: Vec<Vec<u64>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for _ in 0..batch {
            let sent = measure::now_ns();
            redis::cmd("PING").exec_async(&mut connection).await?;
            pings.push(measure::now_ns() - sent);
        }
        for ((_, subject), samples) in subjects.iter().zip(&mut pairs) {
            for _ in 0..batch {
                samples.push(one(subject).await?);
            }
        }
    }
    let ping = measure::percentile(&mut pings, 0.5);
    for ((name, _), samples) in subjects.iter().zip(&mut pairs) {
        let row = format!("acquire/alone/p50 of a pair over a PING, {name}");
        let ratio = measure::percentile(samples, 0.5) / ping;
        match name.as_str() {
            BACKEND | LOCKER => report.judged(row, ratio, "ratio", Target::AtMost(2.2)),
            _ => report.shown(row, ratio, "ratio"),
        }
        if name == RAW {
            report.shown("acquire/alone/PING p50".into(), ping / 1e3, "µs");
        }
    }
    Ok(())
}

async fn one(subject: &Arc<dyn Pairs>) -> Outcome<u64> {
    let began = measure::now_ns();
    subject.pair("alone").await?;
    Ok(measure::now_ns() - began)
}
