//! Whether the server can be used right now.

use std::time::Duration;

use futures::future::try_join_all;
use leasehold::Result;
use redis::Value;

use crate::{core::Core, error::nonsense, reply, scripts::Op};

/// The server ran a script on every connection of the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// How long the slowest connection took.
    pub round_trip: Duration,
    /// How much longer the server may be in quarantine: keys that it does not know are not granted. Zero if it is not.
    pub quarantine: Duration,
}

/// One script on each connection: a server that answers `PING` may still be a replica, loading, or stuck.
pub(crate) async fn health(core: &Core) -> Result<Health> {
    let probe = core.names.probe();
    let each = (0..core.lanes.count()).map(|lane| {
        let probe = probe.clone();
        async move {
            let mut link = core.lanes.nth(lane).await?;
            let sent = core.runtime.now();
            let answer = link.run(Op::Inspect, &[probe], &[]).await?;
            let took = core.runtime.now().since(sent);
            let now = now_of(&answer).ok_or_else(|| nonsense(&answer))?;
            Ok::<_, leasehold::Error>(Health {
                round_trip: took,
                quarantine: link.epoch().left(now),
            })
        }
    });
    let healths = try_join_all(each).await?;
    let slowest = healths.iter().map(|health| health.round_trip).max();
    let quarantine = healths.iter().map(|health| health.quarantine).max();
    Ok(Health {
        round_trip: slowest.unwrap_or_default(),
        quarantine: quarantine.unwrap_or_default(),
    })
}

fn now_of(answer: &Value) -> Option<u64> {
    match answer {
        Value::Array(parts) => reply::number(parts.first()?),
        _ => None,
    }
}
