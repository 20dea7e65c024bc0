//! Who waits in this process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use leasehold::{LeaseId, Timestamp};
use tokio::sync::Notify;

use super::push::Granted;

/// How long a grant is remembered after its waiter left: a second word of it must not take it for an orphan.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The waiters of this process by id, and the grants that some of them left with not long ago.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<LeaseId, Arc<Mailbox>>,
    granted: BTreeMap<LeaseId, Timestamp>,
    forget_next: Timestamp,
}

/// Where a waiter finds what was pushed to it.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    inner: Mutex<Mail>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Mail {
    granted: Option<Granted>,
    look: bool,
}

/// What a waiter woke up for.
#[derive(Debug)]
pub(crate) enum Woken {
    Granted(Granted),
    Look,
}

impl Waiters {
    /// Puts a waiter into the table: before its first request is sent, since a push may overtake the answer.
    pub(crate) fn enter(&self, id: LeaseId) -> Arc<Mailbox> {
        Arc::clone(self.state().waiting.entry(id).or_default())
    }

    /// Takes it out again.
    pub(crate) fn leave(&self, id: LeaseId) {
        self.state().waiting.remove(&id);
    }

    /// Takes it out with a grant.
    pub(crate) fn leave_granted(&self, id: LeaseId, now: Timestamp) {
        let mut state = self.state();
        state.waiting.remove(&id);
        if now >= state.forget_next {
            state.granted.retain(|_, until| *until > now);
            state.forget_next = now + REMEMBERED / 4;
        }
        state.granted.insert(id, now + REMEMBERED);
    }

    /// Delivers a grant. False if nobody here waits for it or has it already: it is nobody's.
    pub(crate) fn grant(&self, id: LeaseId, grant: Granted) -> bool {
        let state = self.state();
        match state.waiting.get(&id) {
            Some(mailbox) => {
                mailbox.mail().granted = Some(grant);
                mailbox.arrived.notify_one();
                true
            }
            None => state.granted.contains_key(&id),
        }
    }

    /// Makes one waiter ask again.
    pub(crate) fn look(&self, id: LeaseId) {
        if let Some(mailbox) = self.state().waiting.get(&id) {
            mailbox.look();
        }
    }

    /// Makes all of them ask again: words may have been lost.
    pub(crate) fn look_all(&self) {
        for mailbox in self.state().waiting.values() {
            mailbox.look();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        self.mail().look = true;
        self.arrived.notify_one();
    }

    /// Waits for what comes next; a grant goes before all else. Cancel-safe: nothing is lost by dropping it.
    pub(crate) async fn next(&self) -> Woken {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut mail = self.mail();
                if let Some(grant) = mail.granted.take() {
                    return Woken::Granted(grant);
                }
                if std::mem::take(&mut mail.look) {
                    return Woken::Look;
                }
            }
            arrived.await;
        }
    }
}
