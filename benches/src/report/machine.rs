//! Where and when it was measured.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::server;

/// What a figure may depend on.
#[derive(Serialize, Deserialize)]
pub(crate) struct Machine {
    date: String,
    cores: usize,
    processor: String,
    kernel: String,
    redis: String,
    rust: String,
    /// Of the last minute, as the run began.
    load: f64,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let processors = read("/proc/cpuinfo");
        let processor = processors.lines().find_map(|line| line.strip_prefix("model name"));
        let load = read("/proc/loadavg");
        Self {
            date: said(Command::new("date").args(["-u", "+%Y-%m-%d"])),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor.unwrap_or("unknown").trim_matches(['\t', ' ', ':']).to_owned(),
            kernel: said(Command::new("uname").arg("-sr")),
            redis: said(Command::new(server::binary()).arg("--version")),
            rust: said(Command::new("rustc").arg("--version")),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }

    /// For people, a warning included if the machine is busy with something else.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Self { date, cores, processor, kernel, redis, rust, load } = self;
        let mut lines = vec![
            format!("{date}, {cores} cores ({processor}), {kernel}, load {load}"),
            format!("{redis}; {rust}"),
            "ratios of medians; what is compared ran in turns, in this one run".to_owned(),
        ];
        if *load > *cores as f64 / 2.0 {
            lines.push(format!("warning: busy (load {load}), ratios may be off"));
        }
        lines
    }
}

/// The first line that a program prints.
fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    match text.lines().next() {
        Some(line) if !line.trim().is_empty() => line.trim().to_owned(),
        _ => format!("no {}", command.get_program().to_string_lossy()),
    }
}
