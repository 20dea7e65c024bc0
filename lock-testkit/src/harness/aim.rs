//! Plans that are aimed at the moments between a check and what it should protect.

use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::sim::{Action, Fault, FaultPlan, Kinds, Span, Trigger, Who, plans};

/// Plans of up to `most` faults, of which half strike the holder right before it touches the data.
pub(super) fn aimed_plans(
    kinds: Kinds,
    clients: u32,
    most: usize,
    points: &'static [&'static str],
) -> impl Strategy<Value = FaultPlan> {
    let anything = plans(kinds, clients, 1, points).prop_map(|plan| plan.faults.into_iter().next());
    let faults = prop_oneof![1 => aimed(points).prop_map(Some), 1 => anything];
    vec(faults, 0..=most)
        .prop_map(|faults| FaultPlan { faults: faults.into_iter().flatten().collect() })
}

fn aimed(points: &'static [&'static str]) -> impl Strategy<Value = Fault> {
    let (who, span) =
        (Who::Holder, || select(vec![500, 1_000, 1_250, 1_500, 2_000]).prop_map(Span::Ttls));
    let action = prop_oneof![
        6 => span().prop_map(move |span| Action::Pause { who, span }),
        1 => option::of(span()).prop_map(move |down| Action::Crash { who, down }),
        1 => span().prop_map(move |span| Action::Partition { who, span }),
    ];
    let when = (1_u32..5, any::<prop::sample::Index>()).prop_map(|(nth, point)| {
        if points.is_empty() {
            return Trigger::Grant { nth, client: None };
        }
        Trigger::Point { name: (*point.get(points)).to_owned(), nth, client: None }
    });
    (action, when).prop_map(|(action, when)| Fault { action, when })
}
