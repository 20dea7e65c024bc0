//! Pairs a second, of several in turns.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::subject::Pairs;
use crate::{Outcome, effort::Effort, measure, peers::Program};

const KEYS_PER_TASK: usize = 16;

/// The rates of each, a figure a round.
#[derive(Default)]
pub(super) struct Rates(BTreeMap<String, Vec<f64>>);

impl Rates {
    fn add(&mut self, name: &str, rate: f64) {
        self.0.entry(name.to_owned()).or_default().push(rate);
    }

    pub(super) fn median(&self, name: &str) -> f64 {
        measure::median(self.0.get(name).cloned().unwrap_or_default())
    }

    pub(super) fn ratio(&self, name: &str, over: &str) -> f64 {
        self.median(name) / self.median(over)
    }

    pub(super) fn medians(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.keys().map(|name| (name.as_str(), self.median(name)))
    }
}

/// All of these in turns, so that whatever else the machine does falls on all of them.
pub(super) async fn interleaved(
    here: &[(String, Arc<dyn Pairs>)],
    programs: &mut [(String, Program)],
    tasks: usize,
    effort: Effort,
) -> Outcome<Rates> {
    let mut rates = Rates::default();
    for (_, subject) in here {
        // Connections are made and code is warm before anything counts.
        rate(subject, tasks, effort.round() / 10).await?;
    }
    for (_, program) in programs.iter_mut() {
        program.rate(effort.round() / 2).await?;
    }
    for _ in 0..effort.rounds() {
        for (name, subject) in here {
            rates.add(name, rate(subject, tasks, effort.round()).await?);
        }
        for (name, program) in programs.iter_mut() {
            rates.add(name, program.rate(effort.round()).await?);
        }
    }
    Ok(rates)
}

/// Each task on keys of its own.
async fn rate(subject: &Arc<dyn Pairs>, tasks: usize, round: Duration) -> Outcome<f64> {
    let pairs = Arc::new(AtomicU64::new(0));
    let start = measure::now_ns();
    let end = start + u64::try_from(round.as_nanos())?;
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let (subject, pairs) = (Arc::clone(subject), Arc::clone(&pairs));
            tokio::spawn(async move {
                let names: Vec<_> =
                    (0..KEYS_PER_TASK).map(|n| format!("order:{task}:{n}")).collect();
                for name in names.iter().cycle() {
                    if measure::now_ns() >= end {
                        break;
                    }
                    subject.pair(name).await?;
                    pairs.fetch_add(1, Ordering::Relaxed);
                }
                Outcome::Ok(())
            })
        })
        .collect();
    for task in running {
        task.await??;
    }
    let seconds = (measure::now_ns() - start) as f64 / 1e9;
    Ok(pairs.load(Ordering::Relaxed) as f64 / seconds)
}
