//! Key-value histories in the text form that other checkers publish theirs in: one event a line, as
//! `{:process 3, :type :invoke, :f :append, :key "5", :value "x"}`.

mod line;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::line::{Event, Function, Kind, parse};
use super::{Moment, Recorded};
use crate::model::{KvOp, KvRet};

/// A text that is no key-value history. `line` and `column` count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct KvFileError {
    /// The line.
    pub line: usize,
    /// The column in bytes.
    pub column: usize,
    /// What was expected, or what contradicts.
    pub message: String,
}

/// Reads a history. The fields of an event come in any order; blank lines, spaces and commas do not
/// matter. `:f` is `:get`, `:put` or `:append`; `:type` is `:invoke` or `:ok`; the value of a read is in
/// its `:ok`, that of the others in their `:invoke`. An operation without `:ok` has an unknown outcome.
///
/// ```
/// use leasehold_testkit::check::{Limits, linear::{Verdict, check, read_kv}};
/// use leasehold_testkit::model::Kv;
///
/// let history = read_kv(
///     r#"{:process 0, :type :invoke, :f :put, :key "a", :value "x"}
///        {:process 0, :type :ok, :f :put, :key "a", :value "x"}
///        {:process 1, :type :invoke, :f :get, :key "a", :value nil}
///        {:process 1, :type :ok, :f :get, :key "a", :value ""}"#,
/// )?;
/// assert!(matches!(check(&Kv, &history, Limits::default()).verdict, Verdict::Violation(_)));
/// # Ok::<(), leasehold_testkit::check::linear::KvFileError>(())
/// ```
///
/// # Errors
/// The first line that is no such event, or that contradicts an earlier one.
pub fn read_kv(text: &str) -> Result<Vec<Recorded<KvOp, KvRet>>, KvFileError> {
    let mut made: Vec<Recorded<KvOp, KvRet>> = Vec::new();
    let mut running: BTreeMap<u64, usize> = BTreeMap::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for (index, (number, line)) in lines.enumerate() {
        let told = |(column, message): (usize, String)| KvFileError {
            line: number + 1,
            column: column + 1,
            message,
        };
        let contradiction = |message: String| told((line.len() - line.trim_start().len(), message));
        let event = parse(line).map_err(told)?;
        let process = event.process;
        match event.kind {
            Kind::Invoke => {
                let op = invoked(event).map_err(&contradiction)?;
                if running.insert(process, made.len()).is_some() {
                    let message = format!("process {process} has an operation open already");
                    return Err(contradiction(message));
                }
                let invoked = Moment::event(index);
                made.push(Recorded { op, ret: None, invoked, closed: None });
            }
            Kind::Ok => {
                let Some(open) = running.remove(&process) else {
                    let message = format!("process {process} has no operation open");
                    return Err(contradiction(message));
                };
                made[open].ret = Some(returned(&made[open].op, event).map_err(&contradiction)?);
                made[open].closed = Some(Moment::event(index));
            }
        }
    }
    Ok(made)
}

fn invoked(event: Event) -> Result<KvOp, String> {
    let key: Arc<str> = event.key.into();
    match (event.function, event.value) {
        (Function::Get, _) => Ok(KvOp::Get(key)),
        (Function::Put, Some(value)) => Ok(KvOp::Put(key, value.into())),
        (Function::Append, Some(value)) => Ok(KvOp::Append(key, value.into())),
        (Function::Put | Function::Append, None) => Err("a write needs a string as :value".into()),
    }
}

fn returned(op: &KvOp, event: Event) -> Result<KvRet, String> {
    let (function, key) = match op {
        KvOp::Get(key) => (Function::Get, key),
        KvOp::Put(key, _) => (Function::Put, key),
        KvOp::Append(key, _) => (Function::Append, key),
    };
    if function != event.function || **key != *event.key {
        return Err(format!("process {} is in another operation: {op:?}", event.process));
    }
    match (function, event.value) {
        (Function::Get, Some(value)) => Ok(KvRet::Value(value.into())),
        (Function::Get, None) => Err("what was read is a string".into()),
        (Function::Put | Function::Append, _) => Ok(KvRet::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, usize, String) {
        let error = read_kv(text).unwrap_err();
        (error.line, error.column, error.message)
    }

    #[test]
    fn an_operation_without_a_return_stays_open() {
        let history = read_kv(
            "{:process 7, :type :invoke, :f :append, :key \"k\", :value \"x 7 0 y\"}\n\n\
             \t{ :f :get :key \"k\" :value nil ,, :type :invoke :process 1 }\r\n\
             {:process 1, :type :ok, :f :get, :key \"k\", :value \"\"}\n",
        )
        .unwrap();
        let append = KvOp::Append("k".into(), "x 7 0 y".into());
        let opened = Recorded { op: append, ret: None, invoked: Moment::event(0), closed: None };
        let read = Recorded {
            op: KvOp::Get("k".into()),
            ret: Some(KvRet::Value("".into())),
            invoked: Moment::event(1),
            closed: Some(Moment::event(2)),
        };
        assert_eq!(history, [opened, read]);
    }

    #[test]
    fn strings_are_unescaped() {
        let line = r#"{:process 0 :type :invoke :f :put :key "\"\\\u00e9" :value "a\n\t}{,é"}"#;
        let put = KvOp::Put("\"\\é".into(), "a\n\t}{,é".into());
        assert_eq!(read_kv(line).unwrap()[0].op, put);
    }

    #[test]
    fn errors_name_line_and_column() {
        let good = "{:process 0, :type :invoke, :f :get, :key \"0\", :value nil}\n";
        let second = |line: &str| error(&format!("{good}{line}"));
        assert_eq!(second("nonsense").0, 2);
        assert_eq!(second("  nonsense").1, 3);
        assert_eq!(second("{:process -1}").1, 11);
        assert_eq!(second("{:process 1, :type :maybe}").1, 20);
        assert_eq!(second("{:process 1, :key \"abc").1, 19);
        assert_eq!(second("{:process 1, :key \"\\q\"}").1, 20);
        assert_eq!(second("{:process 1, :process 1}").1, 14);
        assert!(second("{:process 1, :type :ok, :f :get, :key \"0\"}").2.contains("no operation"));
        assert!(second(good).2.contains("open already"));
        let other_key = "{:process 0, :type :ok, :f :get, :key \"1\", :value \"\"}";
        assert!(second(other_key).2.contains("another operation"));
        let (_, column, message) = second("{:process 1, :type :ok, :f :get}");
        assert_eq!((column, message.as_str()), (1, ":key is missing"));
        assert_eq!(second("{:process 1} x").1, 14);
    }
}
