//! The paths whose instructions are counted.

use std::{hint::black_box, time::Duration};

use leasehold::{AcquireRequest, LeaseId, LockBackend as _, LockKey, Locker, Timestamp, Ttl};
use leasehold_memory::{MemoryBackend, state::State};
use leasehold_redis::fuzzing as pure;
use leasehold_testkit::{
    check::{
        Limits,
        differential::{Shape, busy_history},
        linear, lock,
    },
    model::{Kv, KvOp, KvRet, Model as _, Register, Window},
};

use crate::{Outcome, checkers, measure};

/// One path: its turns, and how many operations each of them is.
pub(super) struct Path {
    pub(super) name: &'static str,
    pub(super) turns: u64,
    each: u64,
    run: fn(u64) -> Outcome<()>,
}

impl Path {
    pub(super) const fn operations(&self) -> u64 {
        self.turns * self.each
    }
}

const CHECKED: usize = 2_000;

pub(super) const PATHS: &[Path] = &[
    Path { name: "state: acquire and release", turns: 20_000, each: 1, run: state },
    Path { name: "memory: acquire and release", turns: 20_000, each: 1, run: memory },
    Path { name: "locker: acquire and release", turns: 5_000, each: 1, run: locker },
    Path { name: "redis: name of a key", turns: 50_000, each: 1, run: key },
    Path { name: "redis: words of a request", turns: 50_000, each: 1, run: request },
    Path { name: "redis: reading a grant", turns: 50_000, each: 1, run: reply },
    Path { name: "lock checker: an operation", turns: 5, each: CHECKED as u64, run: lock_checker },
    Path { name: "general checker: an operation", turns: 5, each: CHECKED as u64, run: general },
    Path { name: "model: a step", turns: 50_000, each: 1, run: model },
];

/// The work of the process: `PATH TURNS`.
pub(crate) fn work(arguments: &[String]) -> Outcome<()> {
    let [name, turns] = arguments else {
        return Err("PATH TURNS".into());
    };
    let path = PATHS.iter().find(|path| path.name == name).ok_or("no such path")?;
    (path.run)(turns.parse()?)
}

fn request_by(key: &LockKey, number: u64) -> Outcome<AcquireRequest> {
    // Spread over all bytes, as random ids are.
    let id = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let id = LeaseId::from_bytes(id.to_le_bytes());
    Ok(AcquireRequest::new(key.clone(), id, Ttl::new(Duration::from_secs(30))?))
}

fn state(turns: u64) -> Outcome<()> {
    let (mut state, key) = (State::default(), LockKey::new("order:1")?);
    for turn in 0..turns {
        let now = Timestamp::from_nanos(turn * 1_000);
        let request = request_by(&key, turn)?;
        let (taken, _) = black_box(state.try_acquire(now, &request));
        taken.map_err(leasehold::Error::from)?;
        black_box(state.release(now, request.id()));
    }
    Ok(())
}

fn memory(turns: u64) -> Outcome<()> {
    let (backend, _clock) = MemoryBackend::manual(1);
    let key = LockKey::new("order:1")?;
    measure::runtime()?.block_on(async {
        for turn in 0..turns {
            let request = request_by(&key, turn)?;
            black_box(backend.try_acquire(&request).await?);
            black_box(backend.release(&key, request.id()).await?);
        }
        Ok(())
    })
}

fn locker(turns: u64) -> Outcome<()> {
    let locker = Locker::typed(MemoryBackend::manual(1).0);
    measure::runtime()?.block_on(async {
        for _ in 0..turns {
            let guard = locker.try_acquire("order:1").await?.ok_or("held")?;
            black_box(guard.release().await?);
        }
        Ok(())
    })
}

fn key(turns: u64) -> Outcome<()> {
    let key = LockKey::new("payment:order-123")?;
    let names = pure::Names::new("lh")?;
    for _ in 0..turns {
        black_box(names.record(black_box(&key)));
    }
    Ok(())
}

fn request(turns: u64) -> Outcome<()> {
    let key = LockKey::new("payment:order-123")?;
    for turn in 0..turns {
        black_box(pure::words(&request_by(&key, turn)?));
    }
    Ok(())
}

fn reply(turns: u64) -> Outcome<()> {
    let answer = redis::Value::BulkString(b"1700000000000000".to_vec());
    let ttl = Ttl::new(Duration::from_secs(30))?;
    for _ in 0..turns {
        if !pure::is_grant(black_box(&answer), ttl) {
            return Err("no grant".into());
        }
    }
    Ok(())
}

fn lock_checker(turns: u64) -> Outcome<()> {
    let shape = Shape { operations: CHECKED, clients: 10, ttl_ns: 3_000, lost: 0, waits: false };
    let history = busy_history(shape, 1)?;
    for _ in 0..turns {
        black_box(lock::check(&history, &lock::Options::default()));
    }
    Ok(())
}

fn general(turns: u64) -> Outcome<()> {
    let history = checkers::some_registers(CHECKED);
    for _ in 0..turns {
        black_box(linear::check(&Register { initial: 0 }, &history, Limits::default()));
    }
    Ok(())
}

fn model(turns: u64) -> Outcome<()> {
    let model = Kv;
    let put = (KvOp::Put("a".into(), "b".into()), KvRet::Done);
    let (mut state, mut next) = (model.init(), Vec::new());
    for _ in 0..turns {
        let window = Window { from_ns: 0, to_ns: 1 };
        model.step(black_box(&state), &put.0, Some(&put.1), window, &mut next);
        state = next.pop().ok_or("no next state")?;
    }
    black_box(state);
    Ok(())
}
