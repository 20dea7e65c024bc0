//! Reading JSON lines.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use super::line::{Event, Header, Line};
use super::{Call, FORMAT_VERSION, History, HistoryBuilder, HistoryError, OpId};

impl History {
    /// Reads a history in the JSON-lines format. Blank lines are skipped.
    ///
    /// # Errors
    /// [`HistoryError::Syntax`] with line and column if the text is not such a history or its events
    /// contradict each other; [`HistoryError::Io`] if reading fails.
    pub fn read_from(input: impl BufRead) -> Result<Self, HistoryError> {
        let mut reader = Reader::default();
        for (index, line) in input.lines().enumerate() {
            reader.line(index + 1, &line?)?;
        }
        match reader.builder {
            Some(builder) => Ok(builder.finish()),
            None => Err(HistoryError::Syntax {
                line: 1,
                column: 1,
                message: "the header line is missing".to_owned(),
            }),
        }
    }
}

#[derive(Default)]
struct Reader {
    builder: Option<HistoryBuilder>,
    numbers: BTreeMap<usize, OpId>,
    names: BTreeMap<Arc<str>, Arc<str>>,
}

impl Reader {
    fn line(&mut self, number: usize, text: &str) -> Result<(), HistoryError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if self.builder.is_some() {
            self.event(number, text)
        } else {
            self.builder = Some(header(number, text)?);
            Ok(())
        }
    }

    fn event(&mut self, number: usize, text: &str) -> Result<(), HistoryError> {
        let line: Line = parse(number, text)?;
        let (at, op) = (line.t, line.op);
        let column = column_of(text, "\"op\"");
        let event = line.event().map_err(|message| syntax(number, 1, message))?;
        let place = |error: HistoryError| error.at_line(number, column);
        if let Event::Invoke(client, call) = event {
            if self.numbers.contains_key(&op) {
                return Err(syntax(number, column, format!("operation {op} is invoked twice")));
            }
            let (client, call) = (self.intern(client), self.intern_call(call));
            let builder = self.builder.get_or_insert_default();
            self.numbers.insert(op, builder.invoke(at, client, call).map_err(place)?);
            return Ok(());
        }
        let Some(&id) = self.numbers.get(&op) else {
            return Err(syntax(number, column, format!("operation {op} was never invoked")));
        };
        let builder = self.builder.get_or_insert_default();
        match event {
            Event::Enqueued => builder.enqueued(at, id),
            Event::Returned(outcome) => builder.returned(at, id, outcome),
            Event::Settled | Event::Invoke(..) => builder.settled(at, id),
        }
        .map_err(|error| renumber(error, id, op))
        .map_err(place)
    }

    /// One allocation for every name, however often it occurs.
    fn intern(&mut self, name: Arc<str>) -> Arc<str> {
        Arc::clone(self.names.entry(Arc::clone(&name)).or_insert(name))
    }

    fn intern_call(&mut self, mut call: Call) -> Call {
        match &mut call {
            Call::TryAcquire(request) | Call::Acquire { request, .. } => {
                request.lease = self.intern(Arc::clone(&request.lease));
                for key in &mut request.keys {
                    *key = self.intern(Arc::clone(key));
                }
            }
            Call::Extend { lease, key, .. }
            | Call::Downgrade { lease, key }
            | Call::Release { lease, key } => {
                *lease = self.intern(Arc::clone(lease));
                *key = self.intern(Arc::clone(key));
            }
            Call::Inspect { key } | Call::Revoke { key } => *key = self.intern(Arc::clone(key)),
        }
        call
    }
}

/// Operation numbers in messages are those of the file.
fn renumber(error: HistoryError, id: OpId, op: usize) -> HistoryError {
    match error {
        HistoryError::Contradiction(message) => HistoryError::Contradiction(
            message.replace(&format!("operation {} ", id.0), &format!("operation {op} ")),
        ),
        other @ (HistoryError::Syntax { .. } | HistoryError::Io(_)) => other,
    }
}

fn header(number: usize, text: &str) -> Result<HistoryBuilder, HistoryError> {
    let header: Header = parse(number, text)?;
    if header.leasehold_history != FORMAT_VERSION {
        let version = header.leasehold_history;
        let message = format!("format version {version}, this reads {FORMAT_VERSION}");
        return Err(syntax(number, column_of(text, "\"leasehold_history\""), message));
    }
    Ok(header.process.map_or_else(HistoryBuilder::new, HistoryBuilder::for_process))
}

fn parse<'a, T: serde::Deserialize<'a>>(number: usize, text: &'a str) -> Result<T, HistoryError> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        syntax(number, error.column().max(1), message)
    })
}

fn syntax(line: usize, column: usize, message: String) -> HistoryError {
    HistoryError::Syntax { line, column, message }
}

/// Where a field stands in its line, from 1.
fn column_of(text: &str, field: &str) -> usize {
    text.find(field).map_or(1, |offset| offset + 1)
}
