//! Waiting, rule by rule: several processes on one real server, each of which can stand still.
#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

#[path = "../support/mod.rs"]
mod support;

mod administering;
mod ending;
mod granting;
mod hearing;

use std::time::Duration;

use leasehold::{AcquireRequest, LockBackend, Release};
use leasehold_redis::RedisConfig;
use support::{RedisServer, builder, exclusive, granted, process::Process};

const SOON: Duration = Duration::from_millis(1_500);

fn two(config: impl Fn(&RedisServer) -> RedisConfig) -> (RedisServer, Process, Process) {
    let server = RedisServer::start();
    let (one, other) = (Process::start(config(&server)), Process::start(config(&server)));
    (server, one, other)
}

/// Waiters that look by themselves so rarely that only a push wakes them in time.
fn patient(server: &RedisServer) -> RedisConfig {
    builder(server).ticket_ttl(Duration::from_secs(60))
}

fn hold(process: &Process, name: &str) -> AcquireRequest {
    let request = exclusive(name);
    process.run(granted(&*process.backend, &request));
    request
}

fn release(process: &Process, request: &AcquireRequest) {
    let released = process.run(process.backend.release(request.key(), request.id()));
    assert_eq!(released.unwrap(), Release::Released);
}

/// How long it took, on a real clock.
fn timed<T>(process: &Process, work: impl FnOnce() -> T) -> (T, Duration) {
    let clock = process.backend.runtime().clone();
    let before = clock.now();
    let done = work();
    (done, clock.now().since(before))
}

fn process_channel(server: &RedisServer) -> String {
    let channels = server.command(&["PUBSUB", "CHANNELS", "lh:process:*"]).list();
    channels.into_iter().next().unwrap().text()
}

/// Lets the process wait once, so that it listens from now on and is not told anew.
fn listen(process: &Process, other: &Process) {
    let warm = hold(other, "warm");
    let waiting = process.queue(&exclusive("warm"), 0);
    release(other, &warm);
    process.granted(waiting);
}
