//! Operations that commute: fewer orders are tried, and nothing else changes.

use leasehold_testkit::check::Limits;
use leasehold_testkit::check::linear::{Moment, Recorded, Verdict, check};
use leasehold_testkit::model::{Kv, KvOp, KvRet, Model, WholeKv, Window};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::brute::brute;
use crate::{lost, ok, op};

const ACCOUNTS: usize = 4;

/// Accounts, two coins in the first at first; a move takes a coin from one to another.
struct Bank;

#[derive(Clone, Copy, Debug, PartialEq)]
enum BankOp {
    Read(usize),
    Move(usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum BankRet {
    Coins(u8),
    Done,
    Refused,
}

impl BankOp {
    fn accounts(self) -> [usize; 2] {
        match self {
            Self::Read(account) => [account; 2],
            Self::Move(from, to) => [from, to],
        }
    }
}

impl Model for Bank {
    type State = [u8; ACCOUNTS];
    type Op = BankOp;
    type Ret = BankRet;
    type Part = ();

    fn init(&self) -> Self::State {
        [2, 0, 0, 0]
    }

    fn step(
        &self,
        state: &Self::State,
        op: &BankOp,
        ret: Option<&BankRet>,
        _window: Window,
        next: &mut Vec<Self::State>,
    ) {
        let mut after = *state;
        let answer = match *op {
            BankOp::Read(account) => BankRet::Coins(state[account]),
            BankOp::Move(from, to) if state[from] > 0 => {
                after[from] -= 1;
                after[to] += 1;
                BankRet::Done
            }
            BankOp::Move(..) => BankRet::Refused,
        };
        if ret.is_none_or(|ret| *ret == answer) {
            next.push(after);
        }
    }

    fn is_pure(&self, op: &BankOp, ret: &BankRet) -> bool {
        matches!(op, BankOp::Read(_)) || *ret == BankRet::Refused
    }

    fn same_effect(&self, one: &BankOp, other: &BankOp) -> bool {
        one == other
    }

    fn commute(&self, one: &BankOp, other: &BankOp) -> bool {
        one.accounts().iter().all(|account| !other.accounts().contains(account))
    }

    fn part(&self, _op: &BankOp) {}
}

/// Up to eight operations of four clients, some answers lost, some wrong.
fn random(rng: &mut SmallRng) -> Vec<Recorded<BankOp, BankRet>> {
    const OPERATIONS: usize = 8;
    let mut history: Vec<Recorded<BankOp, BankRet>> = Vec::new();
    let mut running: [Option<usize>; 4] = [None; 4];
    let (mut event, mut state) = (0, Bank.init());
    while history.len() < OPERATIONS || running.iter().any(Option::is_some) {
        let client = rng.random_range(0..running.len());
        event += 1;
        if let Some(index) = running[client].take() {
            let before = state;
            let answers = [0, 1, 2, 3, 4].map(BankRet::Coins);
            let answers = answers.into_iter().chain([BankRet::Done, BankRet::Refused]);
            let possible = answers.clone().find(|ret| {
                let (mut next, window) = (Vec::new(), Window { from_ns: 0, to_ns: u64::MAX });
                Bank.step(&before, &history[index].op, Some(ret), window, &mut next);
                state = next.first().copied().unwrap_or(state);
                !next.is_empty()
            });
            let wrong = if rng.random_bool(0.5) { BankRet::Done } else { BankRet::Coins(0) };
            let ret = if rng.random_bool(0.05) { Some(wrong) } else { possible };
            history[index].ret = ret.filter(|_| !rng.random_bool(0.2));
            let settles = history[index].ret.is_some() || rng.random_bool(0.5);
            history[index].closed = settles.then_some(Moment::event(event));
        } else if history.len() < OPERATIONS {
            let from = rng.random_range(0..ACCOUNTS);
            let op = match rng.random_range(0..3) {
                0 => BankOp::Read(from),
                _ => BankOp::Move(from, (from + rng.random_range(1..ACCOUNTS)) % ACCOUNTS),
            };
            running[client] = Some(history.len());
            history.push(lost(op, event, None));
        }
    }
    history
}

#[test]
fn with_operations_that_commute_every_order_tried_says_the_same() {
    let (mut sound, mut wrong) = (0, 0);
    for seed in 0..6_000 {
        let history = random(&mut SmallRng::seed_from_u64(seed));
        let expected = brute(&Bank, &history, &mut Vec::new(), &Bank.init());
        assert_eq!(ok(&Bank, &history), expected, "seed {seed}: {history:?}");
        if expected { sound += 1 } else { wrong += 1 }
    }
    assert!(sound > 1_000 && wrong > 1_000, "{sound} {wrong}");
}

#[test]
fn what_must_come_first_may_depend_on_what_does_not_touch_it() {
    let history = [
        op(BankOp::Read(2), BankRet::Coins(1), 0, 3),
        op(BankOp::Move(1, 2), BankRet::Done, 1, 4),
        op(BankOp::Move(0, 1), BankRet::Done, 2, 5),
    ];
    assert!(ok(&Bank, &history));
}

/// Appends that all overlap, each to its own key, then a read of nobody's text.
fn apart(keys: usize) -> Vec<Recorded<KvOp, KvRet>> {
    let append = |key: usize| {
        let name = key.to_string().into();
        op(KvOp::Append(name, "x".into()), KvRet::Done, key, 100 + key)
    };
    let mut history: Vec<_> = (0..keys).map(append).collect();
    history.push(op(KvOp::Get("0".into()), KvRet::Value("y".into()), 200, 201));
    history
}

#[test]
fn operations_that_commute_are_not_tried_in_every_order() {
    let history = apart(20);
    let checked = check(&WholeKv, &history, Limits::default());
    assert!(matches!(checked.verdict, Verdict::Violation(_)));
    assert!(checked.explored < 50, "{}", checked.explored);
    let by_key = check(&Kv, &history, Limits::default()).verdict;
    assert!(matches!(by_key, Verdict::Violation(_)));
}
