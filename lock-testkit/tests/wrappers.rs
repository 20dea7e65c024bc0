//! A backend within a wrapper keeps every promise that it keeps alone.

#![expect(clippy::unwrap_used, reason = "a bad prefix or timeout fails the test")]

use std::time::Duration;

use leasehold::wrap::{Prefix, Timeout};
use leasehold_memory::MemoryBackend;
use leasehold_testkit::suite::{Fixture, Running};

struct Prefixed;

impl Fixture for Prefixed {
    type Backend = Prefix<MemoryBackend>;

    async fn start(&self) -> Running<Self::Backend> {
        let (backend, clock) = MemoryBackend::manual(7);
        let backend = Prefix::new(backend, "tenant {a}:").unwrap();
        Running::on_virtual_time(backend, clock)
    }
}

struct Bounded;

impl Fixture for Bounded {
    type Backend = Timeout<MemoryBackend>;

    async fn start(&self) -> Running<Self::Backend> {
        let (backend, clock) = MemoryBackend::manual(7);
        let backend = Timeout::new(backend, Duration::from_millis(500)).unwrap();
        Running::on_virtual_time(backend, clock)
    }
}

mod prefix {
    use super::*;

    leasehold_testkit::conformance!(Prefixed);
}

mod timeout {
    use super::*;

    leasehold_testkit::conformance!(Bounded);
}
