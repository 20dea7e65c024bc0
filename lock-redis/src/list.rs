//! Listing the keys in use: `SCAN` finds the names, `inspect.lua` reads each.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use leasehold::{Cursor, ErrorKind, KeyPage, KeyState, ListRequest, ListedKey, LockKey, Result};
use redis::Value;

use crate::{connect::Link, core::Core, error::nonsense, reply, scripts::Op};

/// So many steps of the server's cursor one page takes at the most: where a prefix is rare, its pages are empty rather
/// than slow.
const STEPS: usize = 32;
/// So few names a step looks at, at the least.
const LEAST_STEP: usize = 100;
/// So many keys are read at once.
const READS: usize = 64;

/// One page. Its cursor is the server's.
pub(crate) async fn list(core: &Core, request: &ListRequest) -> Result<KeyPage> {
    let mut cursor = match request.cursor() {
        Some(cursor) => cursor.as_str().parse().map_err(|_none| cursor.refused())?,
        None => 0_u64,
    };
    let mut link = core.lanes.first().await?;
    let pattern = core.names.records_under(request.prefix());
    let mut found = BTreeSet::new();
    for _ in 0..STEPS {
        let left = request.page() - found.len();
        let step = scan(&mut link, cursor, &pattern, left.max(LEAST_STEP)).await?;
        cursor = step.next;
        found.extend(step.names.iter().filter_map(|name| core.names.key(name)));
        if cursor == 0 || found.len() >= request.page() {
            break;
        }
    }
    if found.is_empty() {
        // Names alone come from a replica too, as old as they may be; a script is refused there.
        link.run(Op::Inspect, &[core.names.probe()], &[]).await?;
    }
    let keys = read(core, &link, found).await?;
    let next = (cursor != 0).then(|| Cursor::new(cursor.to_string()));
    Ok(KeyPage { keys, next })
}

struct Step {
    next: u64,
    names: Vec<String>,
}

async fn scan(link: &mut Link, cursor: u64, pattern: &str, count: usize) -> Result<Step> {
    let mut command = redis::cmd("SCAN");
    command.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(count);
    let answer = link.command(&command).await?;
    let read = || {
        let Value::Array(parts) = &answer else {
            return None;
        };
        let next = reply::text(parts.first()?)?.parse().ok()?;
        let Value::Array(names) = parts.get(1)? else {
            return None;
        };
        // What is no text is no name of ours.
        let names = names.iter().filter_map(reply::text).map(str::to_owned).collect();
        Some(Step { next, names })
    };
    read().ok_or_else(|| nonsense(&answer))
}

/// Reads each key for itself, and leaves out those that nobody holds or waits for.
async fn read(core: &Core, link: &Link, keys: BTreeSet<LockKey>) -> Result<Vec<ListedKey>> {
    let each = keys.into_iter().map(|key| {
        let mut link = link.clone();
        async move {
            let read = link.run(Op::Inspect, &[core.names.record(&key)], &[]).await;
            (key, read.and_then(|answer| reply::inspected(&answer)))
        }
    });
    let mut reads = futures::stream::iter(each).buffered(READS);
    let mut listed = Vec::new();
    while let Some((key, state)) = reads.next().await {
        match state {
            Ok(state) if KeyState::is_in_use(&state) => listed.push(ListedKey { key, state }),
            Ok(_unused) => {}
            // Somebody else's value under a name like ours: it is no lock, and must not hide those that are.
            Err(error) if error.kind() == ErrorKind::Foreign => {
                tracing::debug!(%key, "a value at a lock's place is not Leasehold's");
            }
            Err(error) => return Err(error.with_key(&key)),
        }
    }
    Ok(listed)
}
