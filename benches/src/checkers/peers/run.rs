//! Running another checker: neither can be stopped, so each gets a process.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use leasehold_testkit::model::{RegisterOp, RegisterRet};
use stateright::semantics::{
    ConsistencyTester as _, LinearizabilityTester, register as stateright_register,
};
use todc_utils::linearizability::WGLChecker;
use todc_utils::specifications::register::{RegisterOperation, RegisterSpecification};

use crate::Outcome;
use crate::checkers::histories::{Corrupted, RegisterShape, Simulated, register_history};
use crate::checkers::{SEED, expected, median_ms};

/// The hidden first argument of such a process.
pub(crate) const WORKER: &str = "checkers-peer";
/// How long a peer has for a history.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// One of them recurses once an operation.
const STACK: usize = 1 << 30;

type Registers = Simulated<RegisterOp, RegisterRet>;

/// What a peer takes in ms, if it ends in time.
pub(super) fn measure(
    peer: &str,
    shape: RegisterShape,
    corrupted: Corrupted,
) -> Outcome<Option<f64>> {
    let [operations, clients] = [shape.operations, shape.clients].map(|number| number.to_string());
    let mut child = Command::new(std::env::current_exe()?)
        .args([WORKER, peer, &operations, &clients, &corrupted.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{peer} failed").into());
    }
    Ok(Some(String::from_utf8(output.stdout)?.trim().parse()?))
}

/// The work of the process: `PEER OPERATIONS CLIENTS ok|bad`; prints the ms.
pub(crate) fn work(arguments: &[String]) -> Outcome<()> {
    let [peer, operations, clients, corrupted] = arguments else {
        return Err("PEER OPERATIONS CLIENTS ok|bad".into());
    };
    let shape = RegisterShape { operations: operations.parse()?, clients: clients.parse()? };
    let corrupted = Corrupted(corrupted == "bad");
    let peer = peer.clone();
    let measured = thread::Builder::new().stack_size(STACK).spawn(move || {
        let history = register_history(shape, corrupted, SEED);
        match peer.as_str() {
            "todc-utils" => todc_utils(&history, corrupted),
            _ => stateright(&history, corrupted),
        }
        .map_err(|error| error.to_string())
    })?;
    println!("{}", measured.join().map_err(|_| "the peer panicked")??);
    Ok(())
}

/// The events in order: who, which operation, and whether it returned.
fn events(history: &Registers) -> Vec<(usize, usize, bool)> {
    let mut events = Vec::new();
    for (index, (op, client)) in history.recorded.iter().zip(&history.clients).enumerate() {
        events.push((op.invoked.index, (*client, index, false)));
        events.extend(op.closed.map(|closed| (closed.index, (*client, index, true))));
    }
    events.sort_unstable();
    events.into_iter().map(|(_, event)| event).collect()
}

fn verdict(linearizable: bool) -> &'static str {
    if linearizable { "ok" } else { "violation" }
}

fn todc_utils(history: &Registers, corrupted: Corrupted) -> Outcome<f64> {
    use todc_utils::{Action, History};
    let action = |(client, index, returned): (usize, usize, bool)| {
        let recorded = &history.recorded[index];
        let operation = match (&recorded.op, &recorded.ret) {
            (RegisterOp::Write(value), _) => RegisterOperation::Write(*value),
            (RegisterOp::Read, Some(RegisterRet::Value(value))) if returned => {
                RegisterOperation::Read(Some(*value))
            }
            (RegisterOp::Read, _) => RegisterOperation::Read(None),
        };
        (client, if returned { Action::Response(operation) } else { Action::Call(operation) })
    };
    let history = History::from_actions(events(history).into_iter().map(action).collect());
    // Each run takes its history away: copying one is a small part of checking it.
    median_ms(expected(corrupted), || {
        verdict(WGLChecker::<RegisterSpecification<i64>>::is_linearizable(history.clone()))
    })
}

fn stateright(history: &Registers, corrupted: Corrupted) -> Outcome<f64> {
    use stateright_register::{Register, RegisterOp as Op, RegisterRet as Ret};
    let mut tester = LinearizabilityTester::new(Register(0));
    for (client, index, returned) in events(history) {
        let recorded = &history.recorded[index];
        if returned {
            let ret = match recorded.ret {
                Some(RegisterRet::Value(value)) => Ret::ReadOk(value),
                Some(RegisterRet::Written) | None => Ret::WriteOk,
            };
            tester.on_return(client, ret)?;
        } else {
            let op = match recorded.op {
                RegisterOp::Read => Op::Read,
                RegisterOp::Write(value) => Op::Write(value),
            };
            tester.on_invoke(client, op)?;
        }
    }
    median_ms(expected(corrupted), || verdict(tester.is_consistent()))
}
