//! Sends renewals: many leases at once, each answer for itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{End, Loss, record::Record};
use crate::{
    Error, ExtendRequest, Extension, LockBackend, Result, Runtime, Timestamp,
    observe::{self, Renewal},
    time::timeout_at,
};

/// The most leases in one batch: a script must stay short, the server serves nobody else meanwhile.
pub(super) const BATCH: usize = 512;

/// Renews these leases and writes the answers into their records. All within the shortest of
/// their timeouts: one silent server must not hold up the others' next try.
pub(super) async fn renew<B: LockBackend + ?Sized>(
    backend: &B,
    runtime: &Runtime,
    leases: &[Arc<Record>],
) {
    let timeouts = leases.iter().filter_map(|lease| lease.terms().keep_alive);
    let timeout = timeouts.map(|it| it.timeout).min().unwrap_or(Duration::ZERO);
    let since = runtime.now();
    let requests = requests(leases);
    let extending = extend(backend, &requests);
    let answers = timeout_at(runtime.clock(), since + timeout, extending).await;
    let answers = answers.unwrap_or_else(|| {
        requests.iter().map(|_| Err(Error::no_answer("extend", timeout))).collect()
    });
    let mut by_lease = BTreeMap::new();
    for (request, answer) in requests.iter().zip(answers) {
        let worst = by_lease.entry(request.id).or_insert(Answer::Renewed);
        let answer = observe::seen("renew", Some(&request.key), answer);
        *worst = (*worst).max(Answer::from(answer));
    }
    for lease in leases {
        let answer = by_lease.get(&lease.id()).copied().unwrap_or(Answer::Unknown);
        settle(lease, answer, since, runtime.now());
    }
}

fn settle(lease: &Record, answer: Answer, since: Timestamp, now: Timestamp) {
    let renewal = match answer {
        Answer::Renewed => {
            lease.renewed(since);
            Renewal::Renewed
        }
        Answer::Unknown => {
            lease.renewal_failed(now);
            Renewal::Unknown
        }
        Answer::Lost => {
            lease.end(End::Lost(Loss::Refused), now);
            Renewal::Lost
        }
    };
    observe::renewal(renewal, &lease.keys()[0]);
}

/// What became of one lease, the worst answer over its keys: a lease over several keys is lost with any of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Renewed,
    Unknown,
    Lost,
}

impl From<Result<Extension>> for Answer {
    fn from(answer: Result<Extension>) -> Self {
        match answer {
            Ok(Extension::Extended) => Self::Renewed,
            Ok(Extension::Lost) => Self::Lost,
            Err(_) => Self::Unknown,
        }
    }
}

fn requests(leases: &[Arc<Record>]) -> Vec<ExtendRequest> {
    let each = leases.iter().flat_map(|lease| {
        let (id, ttl) = (lease.id(), lease.terms().ttl);
        lease.keys().iter().map(move |key| ExtendRequest { key: key.clone(), id, ttl })
    });
    each.collect()
}

async fn extend<B: LockBackend + ?Sized>(
    backend: &B,
    requests: &[ExtendRequest],
) -> Vec<Result<Extension>> {
    match backend.batch() {
        Some(batch) => batch.extend_many(requests).await,
        None => {
            let each = requests.iter();
            let each = each.map(|lease| backend.extend(&lease.key, lease.id, lease.ttl));
            futures::future::join_all(each).await
        }
    }
}
