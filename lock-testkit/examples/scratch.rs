//! scratch
#![allow(clippy::all, missing_docs)]
use leasehold::Clock;
use leasehold_memory::MemoryBackend;
use leasehold_testkit::{check::lock::Options, generate::*};
fn main() {
    let n: u64 = std::env::args().nth(1).map_or(2000, |a| a.parse().unwrap());
    let clock = leasehold::runtime::SystemClock::new();
    for profile in [Profile::Grid, Profile::Latency] {
        let t0 = clock.now();
        for s in 0..n { std::hint::black_box(generate(profile, s)); }
        let t1 = clock.now();
        let mut hs = vec![];
        for s in 0..n { let p = generate(profile, s); hs.push(on_virtual_time(&p, MemoryBackend::with_runtime)); }
        let t2 = clock.now();
        println!("{profile}: gen {:?}/program, run {:?}/program", t1.since(t0)/(n as u32), t2.since(t1)/(n as u32));
        let mut ev = Evidence::default();
        let mut bad = 0;
        for (s, h) in hs.iter().enumerate() {
            match h { Ok(h) => { ev += Evidence::of(h);
                if let Some(f) = judge(h, &Options::default()) { bad += 1; if bad < 4 {
                    let run = |p: &Program| on_virtual_time(p, MemoryBackend::with_runtime).map_err(|(s,_)| Finding::Stuck(s));
                    println!("{s} {f}");
                    let f = shrink(profile, s as u64, &Options::default(), run);
                    if let Some(f) = f { println!("{f}\n"); for op in f.history.operations() { println!("  {} {} {:?} @{} -> {:?} enq {:?} settled {:?}", op.id.0, op.client, op.call, op.invoked.at_ns/1000, op.returned.as_ref().map(|(s,o)|(s.at_ns/1000,o)), op.enqueued, op.settled); } 
                    println!("{:#?}", f.finding); } } } }
              Err((s, _)) => println!("stuck {s}") }
        }
        let t3 = clock.now();
        println!("{profile}: check {:?}/program, bad {bad}; {ev}", t3.since(t2)/(n as u32));
    }
}
