//! What the harness makes of services that are simple, wrong in themselves, or strange.

use std::sync::Arc;

use leasehold::fenced::{Fence, FencedAccess, FencedStore};
use leasehold::{FencingToken, LeaseId, Locker};
use leasehold_memory::FencedMemory;
use leasehold_testkit::{
    harness::{Case, End, Harness, SimStore, Subject},
    sim::{Choices, FaultPlan, Finding, Node},
};
use proptest::strategy::Strategy;

use super::simulate::inventory::{Inventory, Sell};

/// A counter with a step for each operation, which needs no lock; or it is wrong in some way.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Counting {
    Right,
    /// The service panics at 3.
    Panics,
    /// The constructor of the service panics.
    PanicsAtFirst,
    /// The judgement panics.
    PanicsAtLast,
    /// The service waits for tokio's timer.
    Foreign,
    /// The service never answers.
    Stuck,
    /// The service does not say what it did.
    Silent,
}

pub(crate) struct Counter {
    kind: Counting,
    node: Node,
    count: SimStore<u32>,
    _locker: Locker,
}

impl Subject for Counting {
    type Store = u32;
    type Service = Counter;
    type Op = u32;
    type Out = u32;

    fn store(&self) -> u32 {
        0
    }
    fn service(&self, node: &Node, count: SimStore<u32>) -> Counter {
        assert!(*self != Self::PanicsAtFirst, "no service today");
        Counter { kind: *self, node: node.clone(), count, _locker: node.locker() }
    }
    fn operations(&self) -> impl Strategy<Value = u32> {
        1_u32..4
    }
    async fn call(counter: &Counter, step: u32) -> Option<u32> {
        match counter.kind {
            Self::Panics => assert_ne!(step, 3, "three is too much"),
            #[expect(clippy::disallowed_methods, reason = "what must be found out")]
            Self::Foreign => tokio::time::sleep(std::time::Duration::from_secs(1)).await,
            Self::Stuck => loop {
                counter.node.runtime().sleep(std::time::Duration::from_secs(1)).await;
            },
            _ => {}
        }
        let count = counter.count.access("write", |count| {
            *count += step;
            *count
        });
        Some(count.await).filter(|_| counter.kind != Self::Silent)
    }
    fn holds(&self, end: &End<'_, Self>) -> Result<(), String> {
        assert!(*self != Self::PanicsAtLast, "no judgement today");
        let most: u32 = end.calls.iter().map(|call| call.op).sum();
        let least: u32 =
            end.calls.iter().filter(|call| call.out.is_some()).map(|call| call.op).sum();
        let right = (least..=most).contains(end.store);
        if right { Ok(()) } else { Err(format!("{} of {least}..={most}", end.store)) }
    }
}

fn finding(subject: Counting) -> Finding {
    let failure = Harness::new(subject).hunt(0, 100).failure.expect("something is wrong");
    failure.ran.run.finding().unwrap().clone()
}

#[test]
fn a_service_that_needs_no_lock_passes() {
    Harness::new(Counting::Right).check(1_000);
}

#[test]
fn a_service_that_cannot_tell_what_it_did_passes() {
    Harness::new(Counting::Silent).check(200);
}

#[test]
fn a_service_that_panics_is_reported_as_such() {
    let Finding::Panicked { message, .. } = finding(Counting::Panics) else { panic!("no panic") };
    assert!(message.contains("three is too much"), "{message}");
    let failure = Harness::new(Counting::Panics).hunt(0, 100).failure.unwrap();
    assert_eq!((failure.after.faults, failure.after.operations), (0, 1), "{failure}");
    assert_eq!(failure.case.programs.concat(), [3]);
}

#[test]
fn a_constructor_or_a_judgement_that_panics_is_reported_as_such() {
    let Finding::Panicked { message, .. } = finding(Counting::PanicsAtFirst) else { panic!() };
    assert_eq!(message, "no service today");
    let Finding::Failed(message) = finding(Counting::PanicsAtLast) else { panic!() };
    assert_eq!(message, "no judgement today");
}

#[test]
fn a_service_that_never_answers_is_reported_as_stuck() {
    assert!(matches!(finding(Counting::Stuck), Finding::Stuck { .. }));
}

#[test]
fn a_service_that_waits_for_foreign_timers_is_told_what_to_take_instead() {
    let told = finding(Counting::Foreign).to_string();
    assert!(told.contains("`Runtime`"), "{told}");
}

#[test]
#[should_panic(expected = "three is too much")]
fn a_check_panics_with_the_report() {
    Harness::new(Counting::Panics).check(100);
}

#[test]
fn a_client_that_crashes_gets_no_answer_and_goes_on_with_its_next_operation() {
    let plan: FaultPlan = "crash client 1 for 1 ttl before write 2 of client 1".parse().unwrap();
    let programs = vec![vec![1, 2, 3]];
    let case = Case { seed: 5, plan, choices: None, programs };
    let tried = Harness::new(Counting::Right).run(&case);
    assert!(tried.run.is_ok(), "{:?}", tried.run.findings);
    let outs: Vec<_> = tried.calls.iter().map(|call| (call.op, call.out)).collect();
    assert_eq!(outs, [(1, Some(1)), (2, None), (3, Some(4))]);
    assert_eq!(tried.calls[1].to, None);
}

/// Reads and writes a fenced store under one fence.
struct Fenced;

impl Subject for Fenced {
    type Store = Arc<FencedMemory>;
    type Service = SimStore<Arc<FencedMemory>>;
    type Op = u64;
    type Out = bool;
    const POINTS: &'static [&'static str] = &["read", "write", "remove"];

    fn store(&self) -> Arc<FencedMemory> {
        Arc::default()
    }
    fn service(&self, _: &Node, store: Self::Service) -> Self::Service {
        store
    }
    fn operations(&self) -> impl Strategy<Value = u64> {
        1_u64..9
    }
    async fn call(store: &Self::Service, token: u64) -> Option<bool> {
        let owner = LeaseId::from_bytes([7; 16]);
        let fence = Fence { token: FencingToken::new(token).unwrap(), owner };
        let read = store.read("name", fence).await.unwrap();
        let written = store.write("name", fence, b"value").await.unwrap();
        let removed = store.remove("name", fence).await.unwrap();
        let done = [matches!(read, FencedAccess::Done(None)), written == FencedAccess::Done(())];
        Some(done == [true; 2] && removed == FencedAccess::Done(()))
    }
    fn holds(&self, _: &End<'_, Self>) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_fenced_store_behind_points_is_one_and_stops_at_them() {
    let plan = "pause holder for 1 ttl before write 1 of client 1".parse().unwrap();
    let programs = vec![vec![3], vec![4]];
    let tried = Harness::new(Fenced).run(&Case { seed: 0, plan, choices: None, programs });
    assert!(tried.run.is_ok(), "{:?}", tried.run.findings);
    let outs: Vec<_> = tried.calls.iter().map(|call| (call.op, call.out)).collect();
    assert_eq!(outs, [(3, Some(false)), (4, Some(true))]);
    assert!(tried.run.trace.to_string().contains("before remove"));
}

#[test]
fn a_server_whose_clock_is_set_a_ttl_ahead_at_a_grant_raises_no_alarm() {
    let plan = "step clock of server by +1 ttl before read 1".parse().unwrap();
    // No message takes any time, so that the lease is granted, ended and released in one instant.
    let choices = Some(Choices::default());
    let case = Case { seed: 0, plan, choices, programs: vec![vec![Sell]] };
    let tried = Harness::new(Inventory { fenced: true }).run(&case);
    assert!(tried.run.is_ok(), "{:?}", tried.run.findings);
}

/// Counts, and answers the first two questions in the wrong order.
struct Backwards;

impl Subject for Backwards {
    type Store = u32;
    type Service = SimStore<u32>;
    type Op = ();
    type Out = u32;

    fn store(&self) -> u32 {
        3
    }
    fn service(&self, _: &Node, store: SimStore<u32>) -> SimStore<u32> {
        store
    }
    fn operations(&self) -> impl Strategy<Value = ()> {
        proptest::strategy::Just(())
    }
    async fn call(store: &SimStore<u32>, (): ()) -> Option<u32> {
        let left = store.access("write", |left| {
            *left -= 1;
            *left
        });
        Some(left.await)
    }
    fn holds(&self, end: &End<'_, Self>) -> Result<(), String> {
        end.linearizable_by(0, |count, (), answer| {
            answer.is_none_or(|answer| *answer == count + 1).then_some(count + 1)
        })
    }
}

#[test]
fn an_order_that_explains_the_answers_must_be_that_of_time() {
    // The plainest choices run the clients in turns.
    let choices = Some(Choices::default());
    let case = |programs| {
        let choices = choices.clone();
        Case { seed: 0, plan: FaultPlan::NONE, choices, programs }
    };
    let after = Harness::new(Backwards).run(&case(vec![vec![(), ()]]));
    let sentence = after.run.finding().unwrap().to_string();
    assert_eq!(sentence, "no order explains () by client 1 -> 2: the state is 0 after nothing");
    let beside = Harness::new(Backwards).run(&case(vec![vec![()], vec![()]]));
    assert!(beside.run.is_ok(), "{:?}", beside.run.findings);
}
