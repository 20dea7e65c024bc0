//! Why a history could not be made or read.

/// A history that cannot be: unreadable input, or events that contradict each other.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The text is not a history. `line` and `column` count from 1.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What was expected, or what contradicts.
        message: String,
    },
    /// The events contradict each other (a return without an invocation, time running back, …).
    #[error("{0}")]
    Contradiction(String),
    /// The input could not be read, or the output not written.
    #[error("input or output failed")]
    Io(#[from] std::io::Error),
}

impl HistoryError {
    /// The same error, placed at a line (a contradiction becomes a syntax error of that line).
    pub(super) fn at_line(self, line: usize, column: usize) -> Self {
        match self {
            Self::Contradiction(message) => Self::Syntax { line, column, message },
            other @ (Self::Syntax { .. } | Self::Io(_)) => other,
        }
    }
}
