//! How much memory a held key takes.

use std::{process::Command, time::Duration};

use dashmap::DashMap;
use leasehold::{AcquireRequest, LockBackend as _, LockKey, Ttl};
use leasehold_memory::MemoryBackend;

use super::WORKER;
use crate::{
    Outcome,
    effort::Effort,
    keepalive::resident_bytes,
    measure,
    report::{Report, Target},
};

/// Each in a process of its own, where nothing was freed before.
pub(super) fn bench(report: &mut Report, effort: Effort) -> Outcome<()> {
    let keys = effort.pick(1_000_000, 50_000).to_string();
    let row = |what: &str| format!("memory/{keys} held keys/{what}");
    let ours = measured("backend", &keys)?;
    let name = row("bytes a key, the key itself apart");
    report.judged(name, ours, "B", Target::AtMost(300.0));
    report.shown(row("the same, in a bare DashMap"), measured("map", &keys)?, "B");
    Ok(())
}

fn measured(what: &str, keys: &str) -> Outcome<f64> {
    let output = Command::new(std::env::current_exe()?).args([WORKER, what, keys]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The work of the process: `backend|map KEYS`; prints the bytes.
pub(crate) fn work(arguments: &[String]) -> Outcome<()> {
    let [what, keys] = arguments else {
        return Err("backend|map KEYS".into());
    };
    let backend = MemoryBackend::new();
    let ttl = Ttl::new(Duration::from_secs(3_600))?;
    let count: usize = keys.parse()?;
    // The keys are the caller's: they are there before, and only shared.
    let keys = (0..count).map(|n| LockKey::new(format!("order:{n}")));
    let keys = keys.collect::<leasehold::Result<Vec<_>>>()?;
    let before = resident_bytes()?;
    let map: DashMap<LockKey, leasehold::LeaseId> = DashMap::new();
    if what == "backend" {
        measure::runtime()?.block_on(async {
            for key in &keys {
                let request = AcquireRequest::new(key.clone(), backend.runtime().lease_id(), ttl);
                backend.try_acquire(&request).await?;
            }
            Outcome::Ok(())
        })?;
    } else {
        for key in &keys {
            map.insert(key.clone(), backend.runtime().lease_id());
        }
    }
    let grown = resident_bytes()?.saturating_sub(before);
    println!("{}", grown as f64 / count as f64);
    // Nobody needs it to be freed.
    std::mem::forget((map, backend, keys));
    Ok(())
}
