//! Extending many leases in few round trips.

use std::{collections::BTreeMap, error::Error as StdError, fmt, sync::Arc};

use futures::{StreamExt, stream::FuturesUnordered};
use leasehold::{Error, ExtendRequest, Extension, LockKey, Result};

use crate::core::Core;

/// So many leases in one script: more would keep the server from others for too long.
const LEASES_PER_SCRIPT: usize = 256;

/// Extends each, in the same order; the lanes go side by side.
pub(crate) async fn extend_many(core: &Core, leases: &[ExtendRequest]) -> Vec<Result<Extension>> {
    let mut answers: Vec<Option<Result<Extension>>> = leases.iter().map(|_| None).collect();
    let mut lanes = BTreeMap::<usize, Vec<usize>>::new();
    for (index, lease) in leases.iter().enumerate() {
        match core.check_ttl(lease.ttl) {
            Ok(()) => lanes.entry(core.lanes.lane_of(&lease.key)).or_default().push(index),
            Err(error) => answers[index] = Some(Err(about(error, &lease.key))),
        }
    }
    let chunks = lanes.values().flat_map(|lane| lane.chunks(LEASES_PER_SCRIPT));
    let mut running: FuturesUnordered<_> =
        chunks.map(|chunk| extend_chunk(core, leases, chunk)).collect();
    while let Some((chunk, extended)) = running.next().await {
        for (index, answer) in chunk.iter().zip(extended) {
            answers[*index] = Some(answer.map_err(|error| about(error, &leases[*index].key)));
        }
    }
    answers.into_iter().map(|answer| answer.unwrap_or(Ok(Extension::Lost))).collect()
}

/// One script over leases of one lane.
async fn extend_chunk<'a>(
    core: &Core,
    leases: &[ExtendRequest],
    chunk: &'a [usize],
) -> (&'a [usize], Vec<Result<Extension>>) {
    let run = async {
        let chosen = || chunk.iter().filter_map(|index| leases.get(*index));
        let keys: Vec<_> = chosen().map(|lease| core.names.record(&lease.key)).collect();
        let words: Vec<_> = chosen()
            .flat_map(|lease| [lease.id.expose_hex(), lease.ttl.as_micros().to_string()])
            .collect();
        let words: Vec<_> = words.iter().map(String::as_bytes).collect();
        let Some(first) = chosen().next() else {
            return Ok(Vec::new());
        };
        let mut link = core.lanes.link(&first.key).await?;
        core.extend_on(&mut link, &keys, &words).await
    };
    let answers = run.await.unwrap_or_else(|error: Error| {
        let shared = Shared(Arc::new(error));
        chunk.iter().map(|_| Err(shared.error())).collect()
    });
    (chunk, answers)
}

fn about(error: Error, key: &LockKey) -> Error {
    error.with_operation("extend").with_key(key)
}

/// One failure, told to each lease of the script that failed.
#[derive(Clone, Debug)]
struct Shared(Arc<Error>);

impl Shared {
    fn error(&self) -> Error {
        let error =
            Error::new(self.0.kind(), self.0.effect(), "the extension of several leases failed");
        let error = match self.0.code() {
            Some(code) => error.with_code(code),
            None => error,
        };
        error.with_source(self.clone())
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
