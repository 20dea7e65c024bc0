//! The testkit's own wrappers keep every promise of the backend in them, and so does the backend that the
//! broken ones deviate from.

use std::time::Duration;

use leasehold::{LockBackend, Runtime};
use leasehold_memory::MemoryBackend;
use leasehold_testkit::{
    broken::BrokenBackend,
    generate::{Link, Network},
    record::{QueueProbe, Recorder, Recording},
    suite::{Fixture, Running},
};

/// Starts a backend on a clock turned by hand.
struct Manual<B>(fn(Runtime) -> B);

impl<B: LockBackend> Fixture for Manual<B> {
    type Backend = B;

    async fn start(&self) -> Running<B> {
        let (runtime, clock) = Runtime::manual(1);
        Running::on_virtual_time((self.0)(runtime), clock)
    }
}

/// A connection without delay or loss.
const DIRECT: Link = Link { seed: 1, delay: Duration::ZERO, loss: 0 };

mod recorder {
    use super::*;
    leasehold_testkit::conformance!(Manual(|runtime| Recorder::new(MemoryBackend::with_runtime(
        runtime
    ))));
}

mod queue_probe {
    use super::*;
    leasehold_testkit::conformance!(Manual(|runtime| {
        let recording = Recording::in_process(&runtime);
        QueueProbe::new(MemoryBackend::with_runtime(runtime), recording)
    }));
}

mod network {
    use super::*;
    leasehold_testkit::conformance!(Manual(|runtime| {
        Network::new(MemoryBackend::with_runtime(runtime), DIRECT, 1)
    }));
}

mod without_a_bug {
    use super::*;
    leasehold_testkit::conformance!(Manual(BrokenBackend::correct), without = [
        downgrade: "no bug of the catalogue deviates from it",
    ]);
}
