//! A map of exclusive leases, right but for one flaw.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Capability,
    DowngradeBackend, Effect, Error, ErrorKind, Extension, FencingToken, Grant, Held, HeldReason,
    Holder, KeyState, LeaseId, LeaseInfo, LockBackend, LockKey, Mode, Release, Result, Runtime,
    Timestamp, TryAcquire, Ttl, async_trait, poll_acquire,
};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    ReleaseWithoutIdCheck,
    ReleaseAlwaysSaysReleased,
    ReleaseOfAnEndedLease,
    LiveAtItsEnd,
    DeadBeforeItsEnd,
    NeverExpires,
    TtlRoundedUp,
    TtlRoundedDown,
    GrantsBeside,
    HeldTryTakesOver,
    KeysFoldCase,
    KeysAreTrimmed,
    TokenReusedAfterRelease,
    TokenResetByExpiry,
    TokenShownIsAnother,
    ExtendResurrects,
    ExtendWithoutIdCheck,
    ExtendShortens,
    ExtendHasNoEffect,
    ExtendCreates,
    ExtendRenewsAge,
    SinceAfterTheGrant,
    RepeatIsHeld,
    RepeatGetsANewToken,
    RepeatShortens,
    RepeatDoesNotRefresh,
    NoTombstone,
    NoTombstoneBeforeAcquire,
    FreeKeyTimesOut,
    WaitNeverLooksAgain,
    WaitEndsTooSoon,
    WaitForgetsItsDeadline,
    TimedOutWaitTakesTheKey,
    DroppedWaitGoesOn,
    EndedLeaseIsShown,
    HeldHidesTheHolder,
    RetryAfterTooLate,
    SharedTakenForExclusive,
    ClaimsAdministration,
}

#[derive(Clone, Debug)]
pub(crate) struct FlawedMap {
    runtime: Runtime,
    keys: Arc<Mutex<BTreeMap<String, Entry>>>,
    flaw: Option<Flaw>,
}

#[derive(Debug, Default)]
struct Entry {
    last_token: u64,
    lease: Option<Lease>,
    ended: Option<Lease>,
    given_up: BTreeSet<LeaseId>,
}

#[derive(Clone, Debug)]
struct Lease {
    id: LeaseId,
    holder: Holder,
    token: u64,
    granted: Timestamp,
    ends: Timestamp,
}

impl FlawedMap {
    pub(crate) fn new(runtime: Runtime, flaw: Option<Flaw>) -> Self {
        Self { runtime, keys: Arc::default(), flaw }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn at<T>(&self, key: &LockKey, look: impl FnOnce(&mut Entry, Timestamp) -> T) -> T {
        let now = self.runtime.now();
        let name = match self.flaw {
            Some(Flaw::KeysFoldCase) => key.as_str().to_lowercase(),
            Some(Flaw::KeysAreTrimmed) => key.as_str().trim().to_owned(),
            _ => key.as_str().to_owned(),
        };
        let mut keys = self.keys.lock().unwrap();
        let entry = keys.entry(name).or_default();
        if let Some(ended) = entry.lease.take_if(|lease| self.has_ended(lease, now)) {
            entry.ended = Some(ended);
            if self.is(Flaw::TokenResetByExpiry) {
                entry.last_token = 0;
            }
        }
        look(entry, now)
    }

    fn has_ended(&self, lease: &Lease, now: Timestamp) -> bool {
        match self.flaw {
            Some(Flaw::LiveAtItsEnd) => lease.ends < now,
            Some(Flaw::DeadBeforeItsEnd) => lease.ends <= now + Duration::from_micros(1),
            Some(Flaw::NeverExpires) => false,
            _ => lease.ends <= now,
        }
    }

    fn length(&self, ttl: Ttl) -> Duration {
        match self.flaw {
            Some(Flaw::TtlRoundedUp) => Duration::from_secs(ttl.get().as_secs() + 1),
            Some(Flaw::TtlRoundedDown) => Duration::from_millis(ttl.as_micros() / 1_000),
            _ => ttl.get(),
        }
    }

    fn try_in(
        &self,
        entry: &mut Entry,
        request: &AcquireRequest,
        now: Timestamp,
    ) -> Result<TryAcquire> {
        let ends = now + self.length(request.ttl());
        if entry.given_up.contains(&request.id()) {
            return Err(Error::new(ErrorKind::IdReused, Effect::None, "the id was given up"));
        }
        if let Some(lease) = entry.lease.as_mut().filter(|lease| lease.id == request.id()) {
            match self.flaw {
                Some(Flaw::RepeatIsHeld) => return Ok(TryAcquire::Held(self.held(lease, now))),
                Some(Flaw::RepeatShortens) => lease.ends = ends,
                Some(Flaw::RepeatDoesNotRefresh) => {}
                Some(Flaw::RepeatGetsANewToken) => {
                    entry.last_token += 1;
                    lease.token = entry.last_token;
                }
                _ => lease.ends = lease.ends.max(ends),
            }
            return Ok(self.granted(lease, request, now));
        }
        if let Some(lease) = &entry.lease
            && !self.is(Flaw::GrantsBeside)
        {
            let held = self.held(lease, now);
            if self.is(Flaw::HeldTryTakesOver) {
                entry.lease.as_mut().unwrap().id = request.id();
            }
            return Ok(TryAcquire::Held(held));
        }
        entry.last_token += 1;
        let lease = entry.lease.insert(Lease {
            id: request.id(),
            holder: request.holder().clone(),
            token: entry.last_token,
            granted: now,
            ends,
        });
        Ok(self.granted(lease, request, now))
    }

    fn granted(&self, lease: &Lease, request: &AcquireRequest, now: Timestamp) -> TryAcquire {
        let late = Duration::from_micros(u64::from(self.is(Flaw::SinceAfterTheGrant)) * 900_000);
        TryAcquire::Granted(Grant {
            token: FencingToken::new(lease.token).unwrap(),
            ttl: request.ttl(),
            since: now + late,
        })
    }

    fn held(&self, lease: &Lease, now: Timestamp) -> Held {
        let late = Duration::from_micros(u64::from(self.is(Flaw::RetryAfterTooLate)));
        let shown = if self.is(Flaw::HeldHidesTheHolder) { None } else { Some(&lease.holder) };
        Held {
            reason: HeldReason::Lease,
            retry_after: Some(lease.ends.since(now) + late),
            holders: shown.into_iter().cloned().collect(),
        }
    }

    async fn wait(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        let waited = match self.flaw {
            Some(Flaw::FreeKeyTimesOut) if deadline <= self.runtime.now() => {
                return Ok(Acquire::TimedOut(Held::because(HeldReason::Lease)));
            }
            Some(Flaw::WaitEndsTooSoon) => poll_acquire(self, request, Timestamp::ORIGIN).await,
            Some(Flaw::WaitForgetsItsDeadline) => {
                poll_acquire(self, request, deadline + Duration::from_secs(30)).await
            }
            Some(Flaw::WaitNeverLooksAgain) => match self.try_acquire(request).await? {
                TryAcquire::Granted(grant) => Ok(Acquire::Granted(grant)),
                TryAcquire::Held(held) => {
                    self.runtime.sleep_until(deadline).await;
                    Ok(Acquire::TimedOut(held))
                }
            },
            _ => poll_acquire(self, request, deadline).await,
        };
        if let (Ok(Acquire::TimedOut(_)), Some(Flaw::TimedOutWaitTakesTheKey)) =
            (&waited, self.flaw)
        {
            let (map, key, ttl) = (self.clone(), request.key().clone(), request.ttl());
            self.runtime.spawn(Box::pin(async move {
                let ghost = AcquireRequest::new(key, map.runtime.lease_id(), ttl);
                let _late = poll_acquire(&map, &ghost, Timestamp::MAX).await;
            }));
        }
        waited
    }
}

#[async_trait]
impl LockBackend for FlawedMap {
    async fn try_acquire(&self, request: &AcquireRequest) -> Result<TryAcquire> {
        if !request.mode().is_exclusive() && !self.is(Flaw::SharedTakenForExclusive) {
            return Err(Error::unsupported("shared leases"));
        }
        if request.keys().len() > 1 || request.min_hold().is_some() {
            return Err(Error::unsupported("several keys and minimum holds"));
        }
        self.at(request.key(), |entry, now| self.try_in(entry, request, now))
    }

    async fn acquire(&self, request: &AcquireRequest, deadline: Timestamp) -> Result<Acquire> {
        if !self.is(Flaw::DroppedWaitGoesOn) {
            return self.wait(request, deadline).await;
        }
        let (map, request) = (self.clone(), request.clone());
        let task = tokio::spawn(async move { map.wait(&request, deadline).await });
        task.await.unwrap()
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> Result<Extension> {
        Ok(self.at(key, |entry, now| {
            let ends = now + self.length(ttl);
            if self.is(Flaw::ExtendResurrects) && entry.lease.is_none() {
                entry.lease = entry.ended.take();
            }
            if self.is(Flaw::ExtendCreates) && entry.lease.is_none() {
                let (holder, token) = (Holder::anonymous(), entry.last_token.max(1));
                entry.lease = Some(Lease { id, holder, token, granted: now, ends });
            }
            let any = self.is(Flaw::ExtendWithoutIdCheck);
            let Some(lease) = entry.lease.as_mut().filter(|lease| any || lease.id == id) else {
                return Extension::Lost;
            };
            match self.flaw {
                Some(Flaw::ExtendShortens) => lease.ends = ends,
                Some(Flaw::ExtendHasNoEffect) => {}
                _ => lease.ends = lease.ends.max(ends),
            }
            if self.is(Flaw::ExtendRenewsAge) {
                lease.granted = now;
            }
            Extension::Extended
        }))
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> Result<Release> {
        Ok(self.at(key, |entry, _now| {
            let any = self.is(Flaw::ReleaseWithoutIdCheck);
            let ended = entry.ended.take_if(|lease| lease.id == id).is_some();
            let released = entry.lease.take_if(|lease| any || lease.id == id).is_some();
            let forgets = match self.flaw {
                Some(Flaw::NoTombstone) => released,
                Some(Flaw::NoTombstoneBeforeAcquire) => !released,
                _ => false,
            };
            if !forgets {
                entry.given_up.insert(id);
            }
            if released && self.is(Flaw::TokenReusedAfterRelease) {
                entry.last_token -= 1;
            }
            let says = match self.flaw {
                Some(Flaw::ReleaseAlwaysSaysReleased) => true,
                Some(Flaw::ReleaseOfAnEndedLease) => released || ended,
                _ => released,
            };
            if says { Release::Released } else { Release::NotHeld }
        }))
    }

    async fn inspect(&self, key: &LockKey) -> Result<KeyState> {
        let leases = self.at(key, |entry, now| {
            let ended = entry.ended.iter().filter(|_| self.is(Flaw::EndedLeaseIsShown));
            let other = u64::from(self.is(Flaw::TokenShownIsAnother));
            let shown = entry.lease.iter().chain(ended).map(|lease| LeaseInfo {
                holder: lease.holder.clone(),
                mode: Mode::Exclusive,
                permits: 1,
                token: FencingToken::new(lease.token + other).unwrap(),
                remaining: lease.ends.since(now),
                age: now.since(lease.granted),
                released: false,
            });
            shown.collect()
        });
        Ok(KeyState { leases, waiters: Vec::new() })
    }

    fn capabilities(&self) -> Capabilities {
        let has = Capabilities::new(Duration::ZERO);
        if self.is(Flaw::ClaimsAdministration) { has.with(Capability::Revoke) } else { has }
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        None
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        None
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        None
    }
}
