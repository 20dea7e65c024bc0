//! A peer in another language: a process that does rounds on demand.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::Outcome;

/// Told how long to run in ms, it answers with a line: how many pairs, and in how many seconds.
pub(crate) struct Program {
    _child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts `interpreter script url tasks`; it ends with this process.
    #[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "none is started"))]
    pub(crate) fn start(
        mut interpreter: Command,
        script: &std::path::Path,
        url: &str,
        tasks: usize,
    ) -> Outcome<Self> {
        let mut child = interpreter
            .arg(script)
            .args([url, &tasks.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().ok_or("no standard input")?;
        let answers = child.stdout.take().ok_or("no standard output")?;
        let answers = BufReader::new(answers).lines();
        Ok(Self { _child: child, orders, answers })
    }

    /// One round.
    pub(crate) async fn rate(&mut self, round: Duration) -> Outcome<f64> {
        self.orders.write_all(format!("{}\n", round.as_millis()).as_bytes()).await?;
        self.orders.flush().await?;
        let answer = self.answers.next_line().await?.ok_or("a peer's program ended")?;
        let (pairs, seconds) = answer.split_once(' ').ok_or("a peer's answer has two parts")?;
        Ok(pairs.parse::<f64>()? / seconds.parse::<f64>()?)
    }
}
