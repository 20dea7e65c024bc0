//! The lock checker on a history under load, and a step of a model.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use leasehold_testkit::{
    check::{
        differential::{Shape, busy_history},
        lock,
    },
    model::{Model as _, Register, RegisterOp, RegisterRet, Window},
};

const OPERATIONS: usize = 1_000;

fn checkers(criterion: &mut Criterion) {
    let shape = Shape { operations: OPERATIONS, clients: 5, ttl_ns: 3_000, lost: 0, waits: false };
    let Ok(history) = busy_history(shape, 1) else {
        return;
    };
    let mut group = criterion.benchmark_group("checkers");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    group.bench_function("lock, 1,000 operations of 5 clients", |bench| {
        bench.iter(|| assert!(lock::check(&history, &lock::Options::default()).verdict.is_ok()));
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("a step of the register model", |bench| {
        let model = Register { initial: 0 };
        let (state, window) = (model.init(), Window { from_ns: 0, to_ns: 1 });
        let mut next = Vec::new();
        bench.iter(|| {
            next.clear();
            let written = Some(&RegisterRet::Written);
            model.step(black_box(&state), &RegisterOp::Write(1), written, window, &mut next);
            black_box(&next);
        });
    });
    group.finish();
}

criterion_group!(benches, checkers);
criterion_main!(benches);
