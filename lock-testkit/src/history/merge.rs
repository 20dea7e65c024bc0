//! Several processes' recordings as one history.

use std::sync::Arc;

use super::{Call, History, HistoryBuilder, HistoryError, OpId, Operation, Outcome};

impl History {
    /// Merges recordings of processes that share one clock (the processes of one machine).
    ///
    /// Events are ordered by time. Inside a process the recorded order stays; between processes,
    /// of events with equal times invocations come first, so that the operations count as concurrent.
    /// Clients and leases get the name of their process in front (`p1:c3`, or the number of the file),
    /// because names of two recorders have nothing to do with each other.
    ///
    /// # Errors
    /// [`HistoryError::Contradiction`] if a part was not well formed.
    pub fn merge(parts: &[Self]) -> Result<Self, HistoryError> {
        let mut builder = HistoryBuilder::new();
        let mut numbers: Vec<Vec<Option<OpId>>> =
            parts.iter().map(|part| vec![None; part.len()]).collect();
        for (part, event) in ordered(parts) {
            let prefix = prefix(parts, part);
            let op = event.op;
            match event.kind {
                Kind::Invoke => {
                    let client = prefixed(&prefix, &op.client);
                    let call = rename(&prefix, op.call.clone());
                    numbers[part][op.id.0] = Some(builder.invoke(event.at_ns, client, call)?);
                }
                Kind::Enqueued => builder.enqueued(event.at_ns, number(&numbers, part, op)?)?,
                Kind::Returned(outcome) => {
                    builder.returned(event.at_ns, number(&numbers, part, op)?, outcome.clone())?;
                }
                Kind::Settled => builder.settled(event.at_ns, number(&numbers, part, op)?)?,
            }
        }
        Ok(builder.finish())
    }
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Invoke,
    Enqueued,
    Returned(&'a Outcome),
    Settled,
}

#[derive(Clone, Copy)]
struct Event<'a> {
    index: usize,
    at_ns: u64,
    op: &'a Operation,
    kind: Kind<'a>,
}

fn number(
    numbers: &[Vec<Option<OpId>>],
    part: usize,
    op: &Operation,
) -> Result<OpId, HistoryError> {
    numbers[part][op.id.0].ok_or_else(|| {
        HistoryError::Contradiction(format!("operation {} was never invoked", op.id.0))
    })
}

fn events(part: &History) -> Vec<Event<'_>> {
    let mut events = Vec::with_capacity(part.events());
    for op in part.operations() {
        let mut push = |stamp: super::Stamp, kind| {
            events.push(Event { index: stamp.index, at_ns: stamp.at_ns, op, kind });
        };
        push(op.invoked, Kind::Invoke);
        if let Some(stamp) = op.enqueued {
            push(stamp, Kind::Enqueued);
        }
        if let Some((stamp, outcome)) = &op.returned {
            push(*stamp, Kind::Returned(outcome));
        }
        if let Some(stamp) = op.settled {
            push(stamp, Kind::Settled);
        }
    }
    events.sort_by_key(|event| event.index);
    events
}

/// All events, merged: earliest head first, invocations before the rest at equal times.
fn ordered(parts: &[History]) -> Vec<(usize, Event<'_>)> {
    let queues: Vec<Vec<Event<'_>>> = parts.iter().map(events).collect();
    let mut heads = vec![0; parts.len()];
    let mut merged = Vec::with_capacity(queues.iter().map(Vec::len).sum());
    loop {
        let next = (0..queues.len())
            .filter_map(|part| queues[part].get(heads[part]).map(|event| (part, *event)))
            .min_by_key(|(part, event)| (event.at_ns, !matches!(event.kind, Kind::Invoke), *part));
        let Some((part, event)) = next else {
            return merged;
        };
        heads[part] += 1;
        merged.push((part, event));
    }
}

fn prefix(parts: &[History], part: usize) -> String {
    let name = parts[part].process();
    let clash = |name: &str| parts.iter().filter(|other| other.process() == Some(name)).count() > 1;
    match name {
        Some(name) if !clash(name) => name.to_owned(),
        _ => format!("p{}", part + 1),
    }
}

fn prefixed(prefix: &str, name: &str) -> Arc<str> {
    format!("{prefix}:{name}").into()
}

fn rename(prefix: &str, mut call: Call) -> Call {
    match &mut call {
        Call::TryAcquire(request) | Call::Acquire { request, .. } => {
            request.lease = prefixed(prefix, &request.lease);
        }
        Call::Extend { lease, .. }
        | Call::Downgrade { lease, .. }
        | Call::Release { lease, .. } => {
            *lease = prefixed(prefix, lease);
        }
        Call::Inspect { .. } | Call::Revoke { .. } => {}
    }
    call
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::LeaseRequest;

    fn part(name: &str, times: [u64; 2]) -> History {
        let mut builder = HistoryBuilder::for_process(name);
        let call = Call::TryAcquire(LeaseRequest::exclusive("c1.1", "k", 10));
        let op = builder.invoke(times[0], "c1", call).unwrap();
        builder.returned(times[1], op, Outcome::Granted { token: 1, ttl_ns: 10 }).unwrap();
        builder.finish()
    }

    #[test]
    fn equal_times_of_two_processes_overlap() {
        let merged = History::merge(&[part("a", [0, 5]), part("b", [5, 9])]).unwrap();
        let ops = merged.operations();
        assert_eq!(&*ops[1].client, "b:c1");
        assert_eq!(ops[1].call.lease().map(|lease| &**lease), Some("b:c1.1"));
        assert!(ops[1].invoked.index < ops[0].returned_at().unwrap().index);
    }

    #[test]
    fn equal_process_names_become_numbers() {
        let merged = History::merge(&[part("a", [0, 5]), part("a", [6, 9])]).unwrap();
        assert_eq!(&*merged.operations()[0].client, "p1:c1");
        assert_eq!(&*merged.operations()[1].client, "p2:c1");
    }
}
