//! Writing JSON lines.

use std::io::Write;
use std::sync::Arc;

use super::line::{Header, Line};
use super::{FORMAT_VERSION, History, HistoryError, Operation};

impl History {
    /// Writes the history in the JSON-lines format, header first, then one line per event in order.
    ///
    /// # Errors
    /// [`HistoryError::Io`] if writing fails.
    pub fn write_to(&self, mut output: impl Write) -> Result<(), HistoryError> {
        let process = self.process().map(str::to_owned);
        let header = Header { leasehold_history: FORMAT_VERSION, process, note: None };
        write_line(&mut output, &header)?;
        let mut lines: Vec<(usize, Line)> = Vec::with_capacity(self.events());
        for op in self.operations() {
            lines_of(op, &mut lines);
        }
        lines.sort_by_key(|(index, _)| *index);
        for (_, line) in &lines {
            write_line(&mut output, line)?;
        }
        Ok(())
    }
}

fn write_line(output: &mut impl Write, value: &impl serde::Serialize) -> Result<(), HistoryError> {
    serde_json::to_writer(&mut *output, value).map_err(std::io::Error::from)?;
    output.write_all(b"\n")?;
    Ok(())
}

fn lines_of(op: &Operation, lines: &mut Vec<(usize, Line)>) {
    let number = op.id.0;
    let invoke = Line {
        t: op.invoked.at_ns,
        op: number,
        client: Some(Arc::clone(&op.client)),
        invoke: Some(op.call.clone()),
        ..Line::default()
    };
    lines.push((op.invoked.index, invoke));
    if let Some(stamp) = op.enqueued {
        lines.push((
            stamp.index,
            Line { t: stamp.at_ns, op: number, enqueued: true, ..Line::default() },
        ));
    }
    if let Some((stamp, outcome)) = &op.returned {
        let returned = Some(outcome.clone());
        lines.push((stamp.index, Line { t: stamp.at_ns, op: number, returned, ..Line::default() }));
    }
    if let Some(stamp) = op.settled {
        lines.push((
            stamp.index,
            Line { t: stamp.at_ns, op: number, settled: true, ..Line::default() },
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Call, HistoryBuilder, LeaseRequest, LeaseView, Mode, Outcome};

    fn sample() -> History {
        let mut builder = HistoryBuilder::for_process("p1");
        let mut request = LeaseRequest::exclusive("c1.1", "a", 10);
        request.keys.push("b".into());
        request.mode = Mode::Shared { limit: Some(3) };
        request.permits = 2;
        let wait = builder
            .invoke(0, "c1", Call::Acquire { request: request.clone(), deadline_ns: 50 })
            .unwrap();
        let read = builder.invoke(1, "c2", Call::Inspect { key: "a".into() }).unwrap();
        builder.enqueued(2, wait).unwrap();
        let view = LeaseView { token: 4, mode: Some(Mode::Exclusive), remaining_ns: Some(3) };
        builder.returned(3, read, Outcome::State { leases: vec![view], waiters: Some(1) }).unwrap();
        builder.returned(3, wait, Outcome::unknown()).unwrap();
        builder.settled(9, wait).unwrap();
        builder.invoke(9, "c2", Call::Revoke { key: "b".into() }).unwrap();
        builder.finish()
    }

    #[test]
    fn a_history_survives_writing_and_reading() {
        let history = sample();
        let mut text = Vec::new();
        history.write_to(&mut text).unwrap();
        assert_eq!(History::read_from(text.as_slice()).unwrap(), history);
    }

    #[test]
    fn unreadable_input_names_line_and_column() {
        let cases = [
            ("", "line 1, column 1: the header line is missing"),
            ("{\"leasehold_history\":7}", "line 1, column 2: format version 7, this reads 1"),
            ("{\"leasehold_history\":1}\n\n{\"t\":0,\"op\":x}", "line 3, column 13"),
            (
                "{\"leasehold_history\":1}\n{\"t\":0,\"op\":3,\"return\":\"released\"}",
                "line 2, column 8: operation 3 was never invoked",
            ),
            (
                "{\"leasehold_history\":1}\n{\"t\":0,\"op\":3}",
                "line 2, column 1: a line has exactly one of",
            ),
        ];
        for (text, expected) in cases {
            let error = History::read_from(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
