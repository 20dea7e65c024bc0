//! The judge of small histories.

use leasehold_testkit::check::linear::Recorded;
use leasehold_testkit::model::{Model, Window};

/// Tries every order.
pub(crate) fn brute<M: Model>(
    model: &M,
    history: &[Recorded<M::Op, M::Ret>],
    done: &mut Vec<usize>,
    state: &M::State,
) -> bool {
    let open: Vec<usize> = (0..history.len()).filter(|index| !done.contains(index)).collect();
    if open.iter().all(|index| history[*index].ret.is_none()) {
        return true;
    }
    for &index in &open {
        let me = &history[index];
        let closed = |other: &usize| history[*other].closed.map_or(usize::MAX, |at| at.index);
        let waits = open
            .iter()
            .any(|other| history[*other].ret.is_some() && closed(other) < me.invoked.index);
        let late = done.iter().any(|other| history[*other].invoked.index > closed(&index));
        if waits || late {
            continue;
        }
        let mut next = Vec::new();
        let window = Window { from_ns: 0, to_ns: u64::MAX };
        model.step(state, &me.op, me.ret.as_ref(), window, &mut next);
        done.push(index);
        if next.iter().any(|state| brute(model, history, done, state)) {
            return true;
        }
        done.pop();
    }
    false
}
