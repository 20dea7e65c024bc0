//! Several keys where the backend takes only one at a time: in canonical order, and all back if one can't be had.

use std::time::Duration;

use futures::future::{join_all, select_all};

use crate::{
    AcquireRequest, Effect, Error, ErrorKind, Guard, LockBackend, LockKey, LockRequest, Loss,
    Result, Runtime,
};

/// Waits for each key in turn; what is held already is kept alive meanwhile. Dropped, it drops the guards; before it
/// fails, it has given back what it held.
pub(super) async fn acquire_each<B: LockBackend + ?Sized>(
    request: LockRequest<B, Vec<LockKey>>,
) -> Result<Vec<Guard<B>>> {
    let (runtime, ttl) = (request.runtime().clone(), request.lasts());
    let (started, deadline) = (runtime.now(), request.deadline());
    let mut guards = Vec::new();
    for each in each_key(request)? {
        let next = each.wait(deadline.since(runtime.now())).acquire();
        match keeping(&guards, &runtime, ttl, next).await {
            Ok(guard) => guards.push(guard),
            Err(error) => return give_back(guards, Err(error)).await,
        }
    }
    if runtime.now().since(started) > ttl / 10 {
        renew(&guards, ttl).await;
    }
    match still_held(&guards) {
        Ok(()) => Ok(guards),
        Err(error) => give_back(guards, Err(error)).await,
    }
}

/// Tries each key in turn, until one is held.
pub(super) async fn try_each<B: LockBackend + ?Sized>(
    request: LockRequest<B, Vec<LockKey>>,
) -> Result<Option<Vec<Guard<B>>>> {
    let mut guards = Vec::new();
    for each in each_key(request)? {
        match each.try_acquire().await {
            Ok(Some(guard)) => guards.push(guard),
            Ok(None) => return give_back(guards, Ok(None)).await,
            Err(error) => return give_back(guards, Err(error)).await,
        }
    }
    match still_held(&guards) {
        Ok(()) => Ok(Some(guards)),
        Err(error) => give_back(guards, Err(error)).await,
    }
}

/// Answers once everything is given back, as far as that can be known.
async fn give_back<B: LockBackend + ?Sized, T>(guards: Vec<Guard<B>>, answer: T) -> T {
    for released in join_all(guards.into_iter().map(Guard::release)).await {
        if let Err(error) = released {
            tracing::warn!(%error, "release failed after not all keys could be had");
        }
    }
    answer
}

/// A request for each key, in canonical order, each key once.
fn each_key<B: LockBackend + ?Sized>(
    request: LockRequest<B, Vec<LockKey>>,
) -> Result<Vec<LockRequest<B>>> {
    if !request.holds_on().is_zero() {
        // What was taken could not be given back at once if the rest can't be had.
        return Err(Error::unsupported("a minimum hold on keys that are taken one by one"));
    }
    let keys = AcquireRequest::in_order(request.target()?.clone())?;
    let aim = request.aimed_at(|_| Ok(()));
    Ok(keys.into_iter().map(|key| aim.clone().aimed_at(|_| Ok(key))).collect())
}

/// Waits for `next` while it keeps `guards`; an error as soon as one of them is lost.
async fn keeping<B: LockBackend + ?Sized, T>(
    guards: &[Guard<B>],
    runtime: &Runtime,
    ttl: Duration,
    next: impl Future<Output = Result<T>>,
) -> Result<T> {
    if guards.is_empty() {
        return next.await;
    }
    let lost = select_all(guards.iter().map(|guard| guard.lost()));
    let renewing = async {
        loop {
            runtime.sleep(ttl / 3).await;
            renew(guards, ttl).await;
        }
    };
    tokio::select! {
        biased;
        (loss, index, _) = lost => Err(lost_early(guards[index].key(), loss)),
        answer = next => answer,
        never = renewing => never,
    }
}

/// One try for each; the guards tell of a loss themselves, and what stays unknown is tried again.
async fn renew<B: LockBackend + ?Sized>(guards: &[Guard<B>], ttl: Duration) {
    for answer in join_all(guards.iter().map(|guard| guard.extend(ttl))).await {
        if let Err(error) = answer {
            tracing::debug!(%error, "renewal failed while waiting for the next key");
        }
    }
}

fn still_held<B: LockBackend + ?Sized>(guards: &[Guard<B>]) -> Result<()> {
    match guards.iter().find_map(|guard| Some((guard.key(), guard.loss()?))) {
        Some((key, loss)) => Err(lost_early(key, loss)),
        None => Ok(()),
    }
}

fn lost_early(key: &LockKey, loss: Loss) -> Error {
    let message = format!("lost before all keys were held: {loss}");
    Error::new(ErrorKind::Unavailable, Effect::None, message)
        .with_operation("acquire")
        .with_key(key)
}
