//! How fast the simulator is: plans a second and lock operations a second on one core.
//!
//! ```sh
//! cargo run --release -p leasehold-testkit --example sim_figures
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measures real time and prints it"
)]

use std::time::{Duration, Instant};

use leasehold_testkit::sim::{Kinds, Node, Sim, generate_plan};

/// Takes and gives back, over and over.
async fn cycle(node: Node) {
    let locker = node.locker();
    for _ in 0..2_000 {
        if let Ok(guard) = locker.acquire("job").await {
            let _released = guard.release().await;
        }
    }
}

/// As clients do: some work under a lock that is kept alive.
async fn work(node: Node) {
    let locker = node.locker();
    for _ in 0..4 {
        if let Ok(guard) = locker.lock("job").keep_alive().acquire().await {
            node.watch(&guard);
            node.runtime().sleep(guard.remaining() / 2).await;
            node.point("write").await;
            let _released = guard.release().await;
        }
    }
}

fn main() {
    let began = Instant::now();
    let run = Sim::new(1).clients(4).phases(Duration::from_secs(3_600), Duration::ZERO).run(cycle);
    let seconds = began.elapsed().as_secs_f64();
    let operations = run.server.len();
    println!(
        "{operations} operations in {seconds:.2} s: {:.0} a second",
        f64_of(operations) / seconds
    );
    println!("finding: {:?}", run.finding());

    let plans = 2_000;
    let began = Instant::now();
    let mut operations = 0;
    for seed in 0..plans {
        let plan = generate_plan(seed, Kinds::All, 3, 4, &["write"]);
        let run = Sim::new(seed).clients(3).plan(plan).run(work);
        operations += run.server.len();
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{plans} plans in {seconds:.2} s: {:.0} a second, {:.0} operations a second",
        2_000.0 / seconds,
        f64_of(operations) / seconds
    );
}

fn f64_of(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
