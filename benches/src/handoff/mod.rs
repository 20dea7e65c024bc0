//! One key, many waiters in several processes: how fast, how fair, at how many commands.

mod design;
mod worker;

use std::{ops::Range, process::Stdio, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{io::AsyncReadExt as _, process::Command};

use crate::{
    Outcome, measure,
    report::{Report, Target},
    server::Server,
};

pub(crate) use worker::work;

/// The hidden first argument of a worker process.
pub(crate) const WORKER: &str = "handoff-worker";

const DESIGNS: [&str; 3] = ["direct", "polling", "pubsub"];
const WAITERS: [usize; 4] = [2, 32, 128, 500];
/// Two processes and the server are one more than the cores of a small machine; four ask the scheduler more than the lock.
const PROCESSES: [usize; 2] = [2, 4];
const SECONDS: u64 = 3;
/// What is left out at the beginning (everybody's first question, subscriptions) and at the end.
const EDGE_NS: u64 = 500_000_000;

/// One acquisition, times in ns of the machine's clock.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Turn {
    asked: u64,
    granted: u64,
    released: u64,
}

/// What one process has seen: its round trips while all of them did the same, and the turns of each of its waiters.
#[derive(Serialize, Deserialize)]
struct Seen {
    pings: Vec<u64>,
    turns: Vec<Vec<Turn>>,
}

/// A run: a design, so many waiters in so many processes.
struct Run {
    design: &'static str,
    waiters: usize,
    processes: usize,
}

pub(crate) async fn bench(report: &mut Report) -> Outcome<()> {
    for waiters in WAITERS {
        for design in DESIGNS {
            for processes in PROCESSES {
                let alike =
                    processes > waiters || (design != DESIGNS[0] && processes > PROCESSES[0]);
                if !alike {
                    Run { design, waiters, processes }.measure(report).await?;
                }
            }
        }
    }
    Ok(())
}

impl Run {
    /// The gap is from the instant before the release is sent to the return of the next acquire, in whichever process. It is
    /// compared with a bare round trip of the same processes, all of them at once: where the scheduler puts
    /// a process decides more than what it sends.
    async fn measure(&self, report: &mut Report) -> Outcome<()> {
        let server = Server::start().await?;
        let url = server.tcp_url().await?;
        let lone = measure::ping_p50(&url, 2_000).await?;
        let start = measure::now_ns() + 700_000_000 + self.waiters as u64 * 1_000_000;
        let steady = start + EDGE_NS..start + SECONDS * 1_000_000_000 - EDGE_NS;
        let workers = (0..self.processes).map(|process| {
            let extra = usize::from(process < self.waiters % self.processes);
            run_worker(&url, self.design, self.waiters / self.processes + extra, start)
        });
        let (seen, cost) = futures::future::try_join(
            futures::future::try_join_all(workers),
            self.server_cost(&url, &steady),
        )
        .await?;

        let mut pings: Vec<u64> = seen.iter().flat_map(|seen| seen.pings.clone()).collect();
        let ping = measure::percentile(&mut pings, 0.5);
        let mut all: Vec<Turn> = Vec::new();
        let mut shares = Vec::new();
        for turns in seen.into_iter().flat_map(|seen| seen.turns) {
            let before = all.len();
            all.extend(turns.into_iter().filter(|turn| steady.contains(&turn.granted)));
            shares.push((all.len() - before) as u64);
        }
        all.sort_unstable_by_key(|turn| turn.granted);
        let acquisitions = all.len().max(1) as f64;
        let mut gaps: Vec<u64> =
            all.windows(2).map(|pair| pair[1].granted.saturating_sub(pair[0].released)).collect();
        let gap = measure::percentile(&mut gaps, 0.5);
        let late = measure::percentile(&mut gaps, 0.99);
        let unserved = shares.iter().filter(|&&share| share == 0).count();
        let overtaken = most_turns_while_one_waited(&all) as f64 / self.waiters as f64;
        let length = (steady.end - steady.start) as f64;
        let longest = all.iter().map(|turn| turn.granted - turn.asked).max().unwrap_or_default();
        let bound = length / acquisitions * self.waiters as f64;

        let (most, least) = (Target::AtMost, Target::AtLeast);
        self.row(report, "gap p50 over PING p50", gap / ping, "ratio", Some(most(1.5)));
        self.row(report, "gap p99 over PING p50", late / ping, "ratio", Some(most(3.5)));
        let commands = cost.calls as f64 / acquisitions;
        self.row(report, "commands per acquisition", commands, "commands", Some(most(2.05)));
        self.row(report, "Jain", measure::jain(&shares), "index", Some(least(0.99)));
        self.row(report, "waiters never served", unserved as f64, "waiters", Some(most(0.0)));
        self.row(report, "others' turns in a wait", overtaken, "of waiters", Some(most(1.5)));
        self.row(report, "longest wait over mean", longest as f64 / bound, "ratio", None);
        self.row(report, "server time", cost.micros as f64 / acquisitions, "µs", None);
        self.row(report, "gap p50", gap / 1e3, "µs", None);
        self.row(report, "PING p50, all at once", ping / 1e3, "µs", None);
        self.row(report, "PING p50, alone", lone / 1e3, "µs", None);
        self.row(report, "handoffs per second", acquisitions / length * 1e9, "1/s", None);
        Ok(())
    }

    /// What the server did for clients between two instants.
    async fn server_cost(&self, url: &str, between: &Range<u64>) -> Outcome<measure::Commands> {
        // Leasehold's scripts use SET themselves; the other's scripts do not.
        let names: &[&str] = match self.design {
            "pubsub" => &["evalsha", "eval", "set"],
            _ => &["evalsha", "eval"],
        };
        let until = |instant: u64| {
            tokio::time::sleep(Duration::from_nanos(instant.saturating_sub(measure::now_ns())))
        };
        until(between.start).await;
        let before = measure::commands(url, names).await?;
        until(between.end).await;
        let after = measure::commands(url, names).await?;
        Ok(measure::Commands {
            calls: after.calls - before.calls,
            micros: after.micros - before.micros,
        })
    }

    /// Only Leasehold's own design is judged, and where the processes have a core each or nearly so.
    fn row(
        &self,
        report: &mut Report,
        what: &str,
        figure: f64,
        unit: &'static str,
        target: Option<Target>,
    ) {
        let Self { design, waiters, processes } = self;
        let name = format!("handoff/{design}/{waiters} in {processes}/{what}");
        match target.filter(|_| *design == DESIGNS[0] && *processes == PROCESSES[0]) {
            Some(target) => report.judged(name, figure, unit, target),
            None => report.shown(name, figure, unit),
        }
    }
}

/// First come, first served means that each of the others has one turn in a wait, or two where questions crossed: a
/// measure of fairness that a machine standing still for some milliseconds does not change.
fn most_turns_while_one_waited(by_grant: &[Turn]) -> usize {
    let granted_by = |instant| by_grant.partition_point(|turn| turn.granted <= instant);
    let waits = by_grant.iter().enumerate();
    waits.map(|(at, turn)| at.saturating_sub(granted_by(turn.asked))).max().unwrap_or_default()
}

async fn run_worker(url: &str, design: &str, waiters: usize, start: u64) -> Outcome<Seen> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([WORKER, url, design, &waiters.to_string(), &start.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut output = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut output).await?;
    }
    child.wait().await?;
    Ok(serde_json::from_slice(&output)?)
}
