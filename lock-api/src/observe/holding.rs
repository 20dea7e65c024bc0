//! One lease that this process holds, from its grant to its end.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use super::emit::{self, OneMore, series};
use crate::{FencingToken, LockKey, Loss, Timestamp};

/// Part of the lease's record: it counts among the active ones from the grant until the end, or until the record is
/// gone, whatever comes first. So the gauge can't leak.
#[derive(Default)]
pub(crate) struct Holding(Mutex<Option<Held>>);

struct Held {
    since: Timestamp,
    token: FencingToken,
    _active: OneMore,
}

impl Holding {
    pub(crate) fn begin(&self, since: Timestamp, token: FencingToken) {
        let active = OneMore::of(series!(ACTIVE));
        *self.held() = Some(Held { since, token, _active: active });
    }

    /// The lease ended: by a loss, or given up by its holder. Nothing if it was never granted.
    pub(crate) fn end(&self, key: &LockKey, loss: Option<Loss>, now: Timestamp) {
        let Some(Held { since, token, _active }) = self.held().take() else {
            return;
        };
        let (token, held) = (token.get(), now.since(since));
        match loss {
            None => {
                tracing::debug!(%key, token, ?held, "released");
                emit::seconds(series!(HOLD, "end" => "released"), held);
            }
            Some(loss) => {
                tracing::warn!(%key, token, ?held, cause = loss.name(), "lease lost: {loss}");
                emit::seconds(series!(HOLD, "end" => "lost"), held);
                lost(loss);
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost(loss: Loss) {
    let series = match loss {
        Loss::Expired => series!(LOST, "cause" => "expired"),
        Loss::Refused => series!(LOST, "cause" => "refused"),
        Loss::Revoked => series!(LOST, "cause" => "revoked"),
        Loss::Shutdown => series!(LOST, "cause" => "shutdown"),
    };
    emit::count(series);
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holding")
    }
}
