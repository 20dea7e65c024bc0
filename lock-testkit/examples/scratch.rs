//! scratch
#![allow(clippy::all, missing_docs)]
use leasehold::Clock;
use leasehold_memory::MemoryBackend;
use leasehold_testkit::{broken::*, generate::*, report::*};
fn main() {
    let n: u64 = std::env::args().nth(1).map_or(2000, |a| a.parse().unwrap());
    let which = std::env::args().nth(2).unwrap_or("memory".into());
    let clock = leasehold::runtime::SystemClock::new();
    let run = |p: &Program| {
        if which == "memory" {
            on_virtual_time(p, MemoryBackend::with_runtime)
        } else {
            on_virtual_time(p, BrokenBackend::correct)
        }
    };
    for profile in [Profile::Grid, Profile::Latency] {
        let t1 = clock.now();
        let mut ev = Evidence::default();
        let mut bad = 0;
        for s in 0..n {
            let p = generate(profile, s);
            let r = run(&p);
            ev += Evidence::of(&r.history);
            if let Some(f) = r.finding {
                bad += 1;
                if bad < 6 {
                    println!("{s} {f}");
                    if let Some(f) = shrink(profile, s, run) {
                        println!("{f}\n");
                        let c = virtual_criteria(&f.program);
                        println!(
                            "{}",
                            c.report(
                                &Ran {
                                    history: f.history.clone(),
                                    finding: Some(f.finding.clone())
                                },
                                Replay::default()
                            )
                        );
                    }
                }
            }
        }
        let t2 = clock.now();
        println!("{profile}: {:?}/program, bad {bad}; {ev}", t2.since(t1) / (n as u32));
    }
}
