//! On a server, in real time.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, future::join_all, stream};
use leasehold::{LockBackend, Result, Runtime};
use leasehold_redis::RedisBackend;
use leasehold_testkit::{
    check::lock::Options,
    generate::{Criteria, Profile, Program, Ran, generate, in_real_time, shrink},
    history::History,
    model::lock::Slack,
};

use crate::{
    Plan, Watch, bar,
    tally::{Tally, tell},
};

/// So many programs run at a time, each for a few hundred milliseconds.
const AT_ONCE: usize = 64;

/// A program that fails once may pass the next time: a program counts as failing if one of so many runs at a time fails.
const REPEATS: u64 = 12;

/// So long is a failing program made smaller.
const SHRINKING: u64 = 20;

/// Each client of a program has its own.
const CONNECTIONS: usize = 4;

/// How far the server's clock and ours may disagree, on one machine.
const SLACK: Slack = Slack { rate_ppm: 500, jitter_ns: 200_000, resolution_ns: 1_000 };

pub(crate) fn run(url: &str, plan: Plan, replay: Option<&Program>) -> Result<Tally> {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let tokio = tokio.map_err(|error| leasehold::Error::unsupported(error.to_string()))?;
    tokio.block_on(async {
        let server = Server::connect(url).await?;
        match replay {
            Some(program) => server.replay(url, program).await,
            None => server.run(url, plan).await,
        }
    })
}

struct Server {
    runtime: Runtime,
    connections: Vec<Arc<dyn LockBackend>>,
    run: String,
    criteria: Criteria,
}

impl Server {
    async fn connect(url: &str) -> Result<Self> {
        let runtime = Runtime::tokio();
        let mut connections: Vec<Arc<dyn LockBackend>> = Vec::new();
        for _ in 0..CONNECTIONS {
            let backend = RedisBackend::builder(url)
                .runtime(runtime.clone())
                .response_timeout(Duration::from_secs(5))
                .ticket_ttl(Duration::from_secs(1))
                .without_quarantine();
            connections.push(Arc::new(backend.connect().await?));
        }
        let resolution = connections.first().map(|backend| backend.capabilities());
        let resolution = resolution.map_or(Duration::ZERO, |has| has.expiry_resolution());
        let resolution_ns = u64::try_from(resolution.as_nanos()).unwrap_or(SLACK.resolution_ns);
        let slack = Slack { resolution_ns, ..SLACK };
        let criteria =
            Criteria { options: Options { slack, ..Options::default() }, ..Criteria::default() };
        let run = runtime.lease_id().expose_hex();
        Ok(Self { runtime, connections, run, criteria })
    }

    async fn run(&self, url: &str, plan: Plan) -> Result<Tally> {
        let watch = Watch::new(plan.seconds);
        let bar = bar(plan);
        let numbers = (0..plan.programs).take_while(|_| !watch.is_over());
        let mut running = stream::iter(numbers)
            .map(|number| async move {
                let seed = plan.seed.wrapping_add(number);
                let program = generate(Profile::Real, seed);
                (seed, self.one(&program, seed).await, program)
            })
            .buffer_unordered(AT_ONCE);
        let mut tally = Tally::default();
        let mut failed = Vec::new();
        while let Some((seed, ran, program)) = running.next().await {
            let ran = ran?;
            if tally.count(&ran) {
                failed.push((seed, ran, program));
            }
            bar.set_message(tally.line());
            bar.set_position(watch.spent().as_secs());
        }
        bar.finish_and_clear();
        tally.took = watch.spent();
        // Not before: shrinking would slow down what else is running.
        for (seed, ran, program) in failed {
            self.tell_smallest(url, seed, ran, program);
        }
        Ok(tally)
    }

    /// Makes a failing program smaller as long as there is time, and tells of the smallest.
    fn tell_smallest(&self, url: &str, seed: u64, first: Ran, program: Program) {
        let watch = Watch::new(SHRINKING);
        let handle = tokio::runtime::Handle::current();
        let mut tried = 0_u64;
        let mut run = |program: &Program| {
            if watch.is_over() {
                return Ran { history: History::default(), finding: None };
            }
            tried += 1;
            let repeated = || handle.block_on(self.repeat(program, tried));
            // A server that is gone fails no program.
            let gone = |_| Ran { history: History::default(), finding: None };
            tokio::task::block_in_place(repeated).unwrap_or_else(gone)
        };
        let smallest = shrink(Profile::Real, seed, &mut run);
        let (ran, program) = match smallest {
            Some(failure) => {
                let ran = Ran { history: failure.history, finding: Some(failure.finding) };
                println!("shrunk in {tried} tries of {REPEATS} runs each, {SHRINKING} s at most:");
                (ran, failure.program)
            }
            None => {
                println!("not shrunk: it failed once, and not again in {REPEATS} runs:");
                (first, program)
            }
        };
        let seed = format!("{}:{seed}", Profile::Real);
        tell(&ran, &self.criteria, &program, &seed, &format!("--redis {url} "));
    }

    /// Runs a program several times at once; the first run that failed, or else the last.
    async fn repeat(&self, program: &Program, number: u64) -> Result<Ran> {
        let first = u64::MAX - (number + 1) * REPEATS;
        let runs = (first..first + REPEATS).map(|number| self.one(program, number));
        let mut chosen: Option<Ran> = None;
        for ran in join_all(runs).await {
            let ran = ran?;
            if chosen.as_ref().is_none_or(|chosen| chosen.finding.is_none()) {
                chosen = Some(ran);
            }
        }
        chosen.ok_or_else(|| leasehold::Error::unsupported("no run at all"))
    }

    async fn replay(&self, url: &str, program: &Program) -> Result<Tally> {
        let mut tally = Tally::default();
        let ran = self.repeat(program, 0).await?;
        tally.count(&ran);
        tell(&ran, &self.criteria, program, "none", &format!("--redis {url} "));
        Ok(tally)
    }

    async fn one(&self, program: &Program, number: u64) -> Result<Ran> {
        let prefix = format!("torture:{}:{number}:", self.run);
        let history = in_real_time(program, &self.runtime, &self.connections, &prefix).await?;
        Ok(self.criteria.judge(history))
    }
}
