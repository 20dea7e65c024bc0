//! Fault plans at random.

use std::time::Duration;

use proptest::{option, prelude::*};

use super::{Action, Change, Fault, FaultPlan, Leg, Operation, Span, Trigger, Who};

/// Which faults are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Those under which every guarantee stands: the network, pauses, crashes of clients, restarts with the data, pauses
    /// of the server, set wall clocks of clients, and clocks of clients whose rates are off by less than the default drift allowance.
    Survivable,
    /// Those, and what can take a lease from its holder: loss of the data, failover, a server whose clock is set. Only a
    /// fenced resource stands these.
    All,
}

/// Plans of up to `most` faults that strike some of so many clients, with aimed triggers more often than not; `points` are
/// the names of the [points](super::super::Node::point) that the clients have.
///
/// They shrink to fewer, plainer and shorter faults.
pub fn plans(
    kinds: Kinds,
    clients: u32,
    most: usize,
    points: &'static [&'static str],
) -> impl Strategy<Value = FaultPlan> {
    let faults = prop::collection::vec(faults(kinds, clients.max(1), points), 0..=most);
    faults.prop_map(|faults| FaultPlan { faults })
}

fn faults(
    kinds: Kinds,
    clients: u32,
    points: &'static [&'static str],
) -> impl Strategy<Value = Fault> {
    let of_client = (action(kinds, clients), trigger(clients, points));
    let of_client = of_client.prop_map(|(action, when)| Fault { action, when });
    prop_oneof![2 => messages(clients), 3 => of_client]
}

fn messages(clients: u32) -> impl Strategy<Value = Fault> {
    let leg = prop_oneof![Just(Leg::Request), Just(Leg::Reply)];
    let change = prop_oneof![
        Just(Change::Lose),
        spans().prop_map(Change::Delay),
        spans().prop_map(Change::Reorder),
        spans().prop_map(Change::Duplicate),
    ];
    (leg, change, message_trigger(clients))
        .prop_map(|(leg, change, when)| Fault { action: Action::Message { leg, change }, when })
}

fn action(kinds: Kinds, clients: u32) -> BoxedStrategy<Action> {
    let who = who(clients);
    let anybody = prop_oneof![4 => who.clone(), 1 => Just(Who::Server)];
    let survivable = prop_oneof![
        4 => (anybody, spans()).prop_map(|(who, span)| Action::Pause { who, span }),
        2 => (who.clone(), option::of(spans())).prop_map(|(who, down)| Action::Crash { who, down }),
        2 => (who.clone(), spans()).prop_map(|(who, span)| Action::Partition { who, span }),
        1 => spans().prop_map(|down| Action::Restart { data: true, down }),
        1 => (who.clone(), any::<bool>(), spans())
            .prop_map(|(who, back, by)| Action::Step { who, back, by }),
        1 => (who, -9_000..=9_000).prop_map(|(who, ppm)| Action::Skew { who, ppm }),
    ];
    if kinds == Kinds::Survivable {
        return survivable.boxed();
    }
    prop_oneof![
        4 => survivable,
        1 => spans().prop_map(|down| Action::Restart { data: false, down }),
        1 => (1_u32..4, spans()).prop_map(|(lost, down)| Action::Failover { lost, down }),
        1 => (any::<bool>(), spans())
            .prop_map(|(back, by)| Action::Step { who: Who::Server, back, by }),
    ]
    .boxed()
}

fn who(clients: u32) -> impl Strategy<Value = Who> + Clone {
    prop_oneof![
        3 => Just(Who::Holder),
        2 => (1..=clients).prop_map(Who::Client),
        1 => Just(Who::Clients),
    ]
}

/// On and around the ends of leases, where mistakes are.
fn spans() -> impl Strategy<Value = Span> {
    prop_oneof![
        4 => prop::sample::select(vec![100, 250, 500, 750, 1_000, 1_250, 2_000]).prop_map(Span::Ttls),
        1 => (0_u64..2_000).prop_map(|millis| Span::Time(Duration::from_millis(millis))),
    ]
}

fn trigger(clients: u32, points: &'static [&'static str]) -> BoxedStrategy<Trigger> {
    let client = move || option::of(1..=clients);
    let aimed = prop_oneof![
        2 => (1_u32..6, client()).prop_map(|(nth, client)| Trigger::Grant { nth, client }),
        2 => message_trigger(clients),
        1 => (0_u32..6_000).prop_map(|millis| Trigger::At(Span::Ttls(millis))),
    ];
    if points.is_empty() {
        return aimed.boxed();
    }
    let name = prop::sample::select(points);
    let point = (name, 1_u32..6, client()).prop_map(|(name, nth, client)| Trigger::Point {
        name: name.to_owned(),
        nth,
        client,
    });
    prop_oneof![1 => point, 1 => aimed].boxed()
}

fn message_trigger(clients: u32) -> impl Strategy<Value = Trigger> {
    let operation = prop_oneof![
        3 => Just(Operation::Acquire),
        3 => Just(Operation::Renewal),
        2 => Just(Operation::Release),
    ];
    (operation, 1_u32..6, option::of(1..=clients))
        .prop_map(|(operation, nth, client)| Trigger::Message { operation, nth, client })
}
