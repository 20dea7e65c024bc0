//! One of the processes: this program again, told on its standard input what to do.

use std::{
    env, fmt,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
};

use leasehold::{Locker, Runtime, async_trait};
use redis::{AsyncCommands, aio::MultiplexedConnection};

use crate::{
    Problem,
    crowd::{self, Tally},
    shop::{Shop, Stock},
};

/// What a process has to do. It is told on a pipe: a command line can be read by everybody on the machine.
pub(super) struct Job {
    pub(super) buyers: u32,
    pub(super) locked: bool,
    pub(super) prefix: String,
    pub(super) url: String,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.buyers, self.locked, self.prefix, self.url)
    }
}

impl Job {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.trim_end().splitn(4, ' ');
        Some(Self {
            buyers: words.next()?.parse().ok()?,
            locked: words.next()?.parse().ok()?,
            prefix: words.next()?.to_owned(),
            url: words.next()?.to_owned(),
        })
    }
}

/// A running process, seen from the one that started it.
pub(super) struct Worker {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub(super) fn start(job: &Job) -> Result<Self, Problem> {
        let mut process = Command::new(env::current_exe()?)
            .arg("--worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(mut input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("a worker process has no pipes".into());
        };
        writeln!(input, "{job}")?;
        Ok(Self { process, input, output: BufReader::new(output) })
    }

    /// It has connected, and waits for the shop to open.
    pub(super) fn wait_until_ready(&mut self) -> Result<(), Problem> {
        self.line().map(drop)
    }

    pub(super) fn go(&mut self) -> Result<(), Problem> {
        Ok(writeln!(self.input, "go")?)
    }

    pub(super) fn finish(mut self) -> Result<Tally, Problem> {
        let line = self.line()?;
        self.process.wait()?;
        read_tally(&line).ok_or_else(|| format!("a worker process answered {line:?}").into())
    }

    fn line(&mut self) -> Result<String, Problem> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            let status = self.process.wait()?;
            return Err(format!("a worker process ended early, {status}").into());
        }
        Ok(line)
    }
}

/// What a worker process does from its start to its end.
pub(crate) fn work() -> Result<(), Problem> {
    let mut lines = io::stdin().lines();
    let job = lines.next().transpose()?.as_deref().and_then(Job::read);
    let job = job.ok_or("a worker is started by the example, not by hand")?;
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (shop, locker) = threads.block_on(open(&job))?;
    writeln!(io::stdout(), "ready")?;
    if lines.next().is_none() {
        return Ok(()); // the shop never opened
    }
    let tally = threads.block_on(crowd::serve(&shop, locker.as_ref(), job.buyers));
    write_tally(&tally)
}

async fn open(job: &Job) -> Result<(Shop, Option<Locker>), Problem> {
    let server = redis::Client::open(job.url.as_str())?.get_multiplexed_async_connection().await?;
    let stock = Arc::new(RedisStock { server, name: super::stock_name(&job.prefix) });
    let locker = match job.locked {
        true => Some(Locker::new(super::lock_settings(&job.url, &job.prefix).connect().await?)),
        false => None,
    };
    Ok((Shop { stock, runtime: Runtime::tokio() }, locker))
}

/// The stock as a number in Redis.
struct RedisStock {
    server: MultiplexedConnection,
    name: String,
}

#[async_trait]
impl Stock for RedisStock {
    async fn read(&self) -> Result<u32, Problem> {
        Ok(self.server.clone().get(&self.name).await?)
    }

    async fn write(&self, left: u32) -> Result<(), Problem> {
        let keep_expiry = redis::SetOptions::default().with_expiration(redis::SetExpiry::KEEPTTL);
        Ok(self.server.clone().set_options(&self.name, left, keep_expiry).await?)
    }
}

fn write_tally(tally: &Tally) -> Result<(), Problem> {
    let Tally { accepted, sold_out, failed, reason } = tally;
    let reason = reason.as_deref().unwrap_or_default().replace('\n', " ");
    Ok(writeln!(io::stdout(), "{accepted} {sold_out} {failed} {reason}")?)
}

fn read_tally(line: &str) -> Option<Tally> {
    let mut words = line.trim_end_matches('\n').splitn(4, ' ');
    let mut number = || words.next()?.parse().ok();
    let (accepted, sold_out, failed) = (number()?, number()?, number()?);
    let reason = words.next().filter(|reason| !reason.is_empty()).map(str::to_owned);
    Some(Tally { accepted, sold_out, failed, reason })
}
