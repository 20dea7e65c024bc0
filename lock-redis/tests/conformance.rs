//! The Redis backend keeps every promise of the contract, on a real server.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use leasehold_redis::RedisBackend;
use leasehold_testkit::suite::{Erased, Fixture, Running};
use support::{RedisServer, builder};

struct OnARealServer;

impl Fixture for OnARealServer {
    type Backend = RedisBackend;

    async fn start(&self) -> Running<RedisBackend> {
        let server = RedisServer::start();
        let backend = builder(&server).connect().await.unwrap();
        Running::on_real_time(backend).with_guard(server)
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
    by_value: OnARealServer,
    erased: Erased(OnARealServer),
}
