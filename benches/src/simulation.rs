//! Programs of lock operations on virtual time, recorded and checked: how many operations a second.

use std::time::Duration;

use leasehold_memory::MemoryBackend;
use leasehold_testkit::generate::{Profile, generate, on_virtual_time};

use crate::{
    Outcome,
    effort::Effort,
    measure,
    report::{Report, Target},
};

/// Processor time, so that what else the machine does hardly counts.
pub(crate) fn bench(report: &mut Report, effort: Effort) -> Outcome<()> {
    let profiles = [("grid", Profile::Grid), ("slow links", Profile::Latency)];
    for (name, profile) in profiles {
        let programs: Vec<_> =
            (0..effort.pick(2_000, 50)).map(|seed| generate(profile, seed)).collect();
        let (mut operations, mut worked) = (0, Duration::ZERO);
        for program in &programs {
            let began = measure::worked();
            let ran = on_virtual_time(program, MemoryBackend::with_runtime);
            worked += measure::worked().saturating_sub(began);
            if let Some(finding) = ran.finding {
                return Err(format!("the memory backend fails a program: {finding}").into());
            }
            operations += ran.history.operations().len();
        }
        report.judged(
            format!("simulation/{name}/recorded and checked"),
            operations as f64 / worked.as_secs_f64(),
            "ops/s",
            Target::AtLeast(100_000.0),
        );
    }
    Ok(())
}
