//! The general checker: worked models, unknown outcomes, the purity trap, limits, and brute force over
//! orders.

mod brute;
mod commute;

use std::sync::Arc;

use leasehold_testkit::check::linear::{Checked, Moment, Recorded, Verdict, check};
use leasehold_testkit::check::{Limits, Reached};
use leasehold_testkit::model::{
    Cas, CasOp, CasRet, Kv, KvOp, KvRet, Model, Mutex, MutexOp, MutexRet, Permits, PermitsOp,
    PermitsRet, Register, RegisterOp, RegisterRet, Window,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use brute::brute;

/// An operation from event `from` to event `to`.
fn op<Op, Ret>(op: Op, ret: Ret, from: usize, to: usize) -> Recorded<Op, Ret> {
    Recorded { op, ret: Some(ret), invoked: Moment::event(from), closed: Some(Moment::event(to)) }
}

/// An operation that never returned.
fn lost<Op, Ret>(op: Op, from: usize, settled: Option<usize>) -> Recorded<Op, Ret> {
    Recorded { op, ret: None, invoked: Moment::event(from), closed: settled.map(Moment::event) }
}

fn ok<M: Model>(model: &M, history: &[Recorded<M::Op, M::Ret>]) -> bool {
    match check(model, history, Limits::default()).verdict {
        Verdict::Ok => true,
        Verdict::Violation(_) => false,
        Verdict::Unknown(reached) => panic!("{reached}"),
    }
}

const READ: RegisterOp = RegisterOp::Read;

fn value(value: i64) -> RegisterRet {
    RegisterRet::Value(value)
}

#[test]
fn a_register_reads_what_was_written() {
    let write = |value| RegisterOp::Write(value);
    let done = RegisterRet::Written;
    let register = Register::default();
    let overlapping =
        [op(write(1), done, 0, 5), op(READ, value(1), 1, 2), op(READ, value(1), 3, 4)];
    assert!(ok(&register, &overlapping));
    let back = [op(write(1), done, 0, 5), op(READ, value(1), 1, 2), op(READ, value(0), 3, 4)];
    assert!(!ok(&register, &back));
}

#[test]
fn a_write_of_the_value_at_hand_is_not_pure() {
    // The second write of 1 must come after the write of 2; taking it early, because it changes
    // nothing there, would lose the only explanation.
    let write = |value| RegisterOp::Write(value);
    let done = RegisterRet::Written;
    let history = [
        op(write(1), done, 0, 1),
        op(write(1), done, 2, 7),
        op(write(2), done, 3, 4),
        op(READ, value(1), 5, 6),
    ];
    assert!(ok(&Register::default(), &history));
}

#[test]
fn an_unknown_write_may_happen_late_or_never_but_not_after_it_is_settled() {
    let write = |value| RegisterOp::Write(value);
    let register = Register::default();
    let late = [lost(write(3), 0, None), op(READ, value(0), 1, 2), op(READ, value(3), 3, 4)];
    assert!(ok(&register, &late));
    let never = [lost(write(3), 0, None), op(READ, value(0), 1, 2), op(READ, value(0), 3, 4)];
    assert!(ok(&register, &never));
    let settled = [lost(write(3), 0, Some(1)), op(READ, value(0), 2, 3), op(READ, value(3), 4, 5)];
    assert!(!ok(&register, &settled));
    let before = [lost(write(3), 0, Some(2)), op(READ, value(3), 3, 4)];
    assert!(ok(&register, &before));
}

#[test]
fn worked_models_refuse_what_they_should() {
    let cas = CasOp::CompareAndSet(1, 2);
    let first = || op(CasOp::Write(1), CasRet::Done, 0, 1);
    assert!(ok(&Cas, &[first(), op(cas, CasRet::Done, 2, 3)]));
    assert!(!ok(&Cas, &[first(), op(cas, CasRet::Refused, 2, 3)]));
    let take = |who| MutexOp::TryLock(who);
    let taken = || op(take(1), MutexRet::Done, 0, 1);
    assert!(ok(&Mutex, &[taken(), op(take(2), MutexRet::Refused, 2, 3)]));
    assert!(!ok(&Mutex, &[taken(), op(take(2), MutexRet::Done, 2, 3)]));
    let permits = Permits { limit: 2 };
    let two = || op(PermitsOp::TryTake(2), PermitsRet::Done, 0, 1);
    assert!(ok(&permits, &[two(), op(PermitsOp::TryTake(1), PermitsRet::Refused, 2, 3)]));
    assert!(!ok(&permits, &[two(), op(PermitsOp::TryTake(1), PermitsRet::Done, 2, 3)]));
}

fn put(key: &str, text: &str) -> KvOp {
    KvOp::Put(key.into(), text.into())
}

fn get(key: &str) -> KvOp {
    KvOp::Get(key.into())
}

#[test]
fn the_refuted_part_and_operation_are_named() {
    let read = |text: &str| KvRet::Value(Arc::from(text));
    let history = [
        op(put("a", "x"), KvRet::Done, 0, 1),
        op(put("b", "y"), KvRet::Done, 2, 3),
        op(get("b"), read("z"), 4, 5),
        op(get("a"), read("x"), 6, 7),
    ];
    let Verdict::Violation(refuted) = check(&Kv, &history, Limits::default()).verdict else {
        panic!("not refuted");
    };
    assert_eq!((refuted.part.as_str(), refuted.op), ("\"b\"", 2));
    assert_eq!(refuted.explained, [1]);
}

/// One key on which nothing is wrong but everything is possible, and one that is plainly wrong.
fn hard_and_easy() -> Vec<Recorded<KvOp, KvRet>> {
    let mut history: Vec<_> = (0..18)
        .map(|index| {
            let text: Arc<str> = index.to_string().into();
            op(KvOp::Append("a".into(), text), KvRet::Done, index, 100 + index)
        })
        .collect();
    history.push(op(get("a"), KvRet::Value("impossible".into()), 200, 201));
    history.extend((0..40).map(|index| {
        let at = 300 + 2 * index;
        op(put("b", "x"), KvRet::Done, at, at + 1)
    }));
    history.push(op(get("b"), KvRet::Value("y".into()), 500, 501));
    history
}

#[test]
fn a_hard_part_does_not_hide_a_wrong_one() {
    let Checked { verdict, explored, .. } = check(&Kv, &hard_and_easy(), Limits::default());
    assert!(matches!(verdict, Verdict::Violation(refuted) if refuted.part == "\"b\""));
    assert!(explored < 10_000, "{explored}");
}

#[test]
fn a_limit_is_said() {
    let limits = Limits { explored: 5_000, ..Limits::default() };
    let hard = &hard_and_easy()[..19];
    let verdict = check(&Kv, hard, limits).verdict;
    assert_eq!(verdict, Verdict::Unknown(Reached::Explored(5_000)));
}

/// Up to seven operations of three clients on a compare-and-set register, some without an answer.
fn random(rng: &mut SmallRng) -> Vec<Recorded<CasOp, CasRet>> {
    let mut history: Vec<Recorded<CasOp, CasRet>> = Vec::new();
    let mut running: [Option<usize>; 3] = [None; 3];
    let (mut event, mut state) = (0, None);
    let number = |rng: &mut SmallRng| rng.random_range(1..=2_i64);
    while history.len() < 7 || running.iter().any(Option::is_some) {
        let client = rng.random_range(0..3);
        event += 1;
        if let Some(index) = running[client].take() {
            let mut next = Vec::new();
            let window = Window { from_ns: 0, to_ns: u64::MAX };
            Cas.step(&state, &history[index].op, None, window, &mut next);
            let replaced = next[0] != state || matches!(history[index].op, CasOp::Write(_));
            let ret = match history[index].op {
                CasOp::Read if rng.random_bool(0.1) => CasRet::Value(Some(number(rng))),
                CasOp::Read => CasRet::Value(state),
                _ if replaced => CasRet::Done,
                _ => CasRet::Refused,
            };
            state = next[0];
            history[index].ret = (!rng.random_bool(0.2)).then_some(ret);
            let settles = history[index].ret.is_some() || rng.random_bool(0.5);
            history[index].closed = settles.then_some(Moment::event(event));
        } else if history.len() < 7 {
            let op = match rng.random_range(0..3) {
                0 => CasOp::Read,
                1 => CasOp::Write(number(rng)),
                _ => CasOp::CompareAndSet(number(rng), number(rng)),
            };
            running[client] = Some(history.len());
            history.push(lost(op, event, None));
        }
    }
    history
}

#[test]
fn every_order_tried_says_the_same() {
    let (mut sound, mut wrong) = (0, 0);
    for seed in 0..6_000 {
        let history = random(&mut SmallRng::seed_from_u64(seed));
        let expected = brute(&Cas, &history, &mut Vec::new(), &None);
        assert_eq!(ok(&Cas, &history), expected, "seed {seed}: {history:?}");
        if expected { sound += 1 } else { wrong += 1 }
    }
    assert!(sound > 1_000 && wrong > 1_000, "{sound} {wrong}");
}
