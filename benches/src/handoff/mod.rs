//! One key, many waiters in several processes: how fast, how fair, at how many commands.

mod design;
mod worker;

use std::process::Stdio;

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
const SECONDS: u64 = 3;

/// One acquisition, times in ns of the machine's clock.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Turn {
    asked: u64,
    granted: u64,
    released: u64,
}

/// What one process has seen: the turns of each of its waiters.
type Turns = Vec<Vec<Turn>>;

pub(crate) async fn bench(report: &mut Report) -> Outcome<()> {
    for waiters in WAITERS {
        for design in DESIGNS {
            let server = Server::start().await?;
            measure(report, &server, design, waiters).await?;
        }
    }
    Ok(())
}

async fn measure(
    report: &mut Report,
    server: &Server,
    design: &str,
    waiters: usize,
) -> Outcome<()> {
    let processes = waiters.clamp(2, 4);
    let url = server.url();
    let ping = measure::ping_p50(&url, 2_000).await?;
    let before = measure::top_level_commands(&url).await?;
    let start = measure::now_ns() + 700_000_000 + waiters as u64 * 1_000_000;
    let workers = (0..processes).map(|process| {
        let share = waiters / processes + usize::from(process < waiters % processes);
        run_worker(&url, design, share, start)
    });
    let turns: Turns = futures::future::try_join_all(workers).await?.concat();
    let after = measure::top_level_commands(&url).await?;
    let ping = f64::midpoint(ping, measure::ping_p50(&url, 2_000).await?);

    let mut all: Vec<Turn> = turns.iter().flatten().copied().collect();
    all.sort_unstable_by_key(|turn| turn.granted);
    let acquisitions = all.len();
    let mut gaps: Vec<u64> =
        all.windows(2).map(|pair| pair[1].granted.saturating_sub(pair[0].released)).collect();
    let longest = all.iter().map(|turn| turn.granted - turn.asked).max().unwrap_or_default();
    let shares: Vec<u64> = turns.iter().map(|turns| turns.len() as u64).collect();
    let unserved = shares.iter().filter(|&&share| share == 0).count();
    let per_second = acquisitions as f64 / SECONDS as f64;
    let commands = (after - before) as f64 / acquisitions.max(1) as f64;
    let median_gap = measure::percentile(&mut gaps, 0.5);
    let name = |what: &str| format!("handoff/{design}/{waiters} waiters/{what}");
    let judged = design == "direct";
    let mut row = |what, figure, unit, target| {
        if judged {
            report.judged(name(what), figure, unit, target);
        } else {
            report.shown(name(what), figure, unit);
        }
    };
    row("gap p50 over PING p50", median_gap / ping, "ratio", Target::AtMost(1.5));
    row(
        "gap p99 over PING p50",
        measure::percentile(&mut gaps, 0.99) / ping,
        "ratio",
        Target::AtMost(3.5),
    );
    row("top-level commands per acquisition", commands, "commands", Target::AtMost(2.05));
    row("Jain", measure::jain(&shares), "index", Target::AtLeast(0.99));
    row("waiters never served", unserved as f64, "waiters", Target::AtMost(0.0));
    let fifo_bound = SECONDS as f64 * 1e9 / acquisitions.max(1) as f64 * waiters as f64;
    row(
        "longest wait over the FIFO bound",
        longest as f64 / fifo_bound,
        "ratio",
        Target::AtMost(1.5),
    );
    report.shown(name("handoffs per second"), per_second, "1/s");
    report.shown(name("PING p50"), ping / 1e3, "µs");
    Ok(())
}

async fn run_worker(url: &str, design: &str, waiters: usize, start: u64) -> Outcome<Turns> {
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
