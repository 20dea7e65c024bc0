//! On a server, in real time.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use leasehold::{LockBackend, Result, Runtime};
use leasehold_redis::RedisBackend;
use leasehold_testkit::{
    check::lock::Options,
    generate::{Criteria, Profile, Program, Ran, generate, in_real_time},
    model::lock::Slack,
};

use crate::{
    Plan, Watch, bar,
    tally::{Tally, tell},
};

/// So many programs run at a time, each for a few hundred milliseconds.
const AT_ONCE: usize = 64;

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
        while let Some((seed, ran, program)) = running.next().await {
            let ran = ran?;
            if tally.count(&ran) {
                let seed = format!("{}:{seed}", Profile::Real);
                tell(&ran, &self.criteria, &program, &seed, &format!("--redis {url} "));
            }
            bar.set_message(tally.line());
            bar.set_position(watch.spent().as_secs());
        }
        bar.finish_and_clear();
        tally.took = watch.spent();
        Ok(tally)
    }

    async fn replay(&self, url: &str, program: &Program) -> Result<Tally> {
        let mut tally = Tally::default();
        let ran = self.one(program, 0).await?;
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
