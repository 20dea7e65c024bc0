//! The memory backend keeps every promise of the contract, on each kind of time and in each shape.

use leasehold::Runtime;
use leasehold_memory::MemoryBackend;
use leasehold_testkit::suite::{Erased, Fixture, InArc, InBox, Running};

struct OnVirtualTime;

impl Fixture for OnVirtualTime {
    type Backend = MemoryBackend;

    async fn start(&self) -> Running<MemoryBackend> {
        let (backend, clock) = MemoryBackend::manual(7);
        Running::on_virtual_time(backend, clock)
    }
}

struct OnRealTime;

impl Fixture for OnRealTime {
    type Backend = MemoryBackend;

    async fn start(&self) -> Running<MemoryBackend> {
        Running::on_real_time(MemoryBackend::with_runtime(Runtime::tokio()))
    }
}

/// Tokio's time stands still, and jumps to the next timer when nothing else can run.
struct OnPausedTime;

impl Fixture for OnPausedTime {
    type Backend = MemoryBackend;

    async fn start(&self) -> Running<MemoryBackend> {
        tokio::time::pause();
        OnRealTime.start().await
    }
}

macro_rules! enrol {
    ($($shape:ident: $fixture:expr,)*) => {$(
        mod $shape {
            use super::*;

            leasehold_testkit::conformance!($fixture);
        }
    )*};
}

enrol! {
    by_value: OnVirtualTime,
    in_arc: InArc(OnVirtualTime),
    in_box: InBox(OnVirtualTime),
    erased: Erased(OnVirtualTime),
    on_real_time: OnRealTime,
    on_paused_time: OnPausedTime,
}
