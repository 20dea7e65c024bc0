//! A small random service that keeps the specification.

use std::sync::Arc;

use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::check::lock::Options;
use crate::history::{
    Call, Effect, HeldReason, History, HistoryBuilder, LeaseRequest, LeaseView, Mode, OpId, Outcome,
};
use crate::model::lock::{LockModel, LockState, QueueView, Took};

struct Running {
    op: OpId,
    call: Call,
    outcome: Option<Outcome>,
    enqueued: bool,
}

struct Service<'r> {
    rng: &'r mut SmallRng,
    builder: HistoryBuilder,
    model: LockModel,
    state: LockState,
    now: u64,
    clients: Vec<Option<Running>>,
    keys: Vec<Arc<str>>,
    modes: Vec<Mode>,
    leases: usize,
    /// How often an answer is lost.
    loss: f64,
    unsettled: Vec<OpId>,
}

/// A history of up to `most` operations. It may fail to be allowed in rare cases (a waiter that is
/// told "timed out" although nothing was in its way); that is as good for comparing.
pub(super) fn history(rng: &mut SmallRng, options: &Options, most: usize) -> History {
    let clients = rng.random_range(1..=4);
    let count = rng.random_range(2..=most.max(2));
    let limit = Some(rng.random_range(1..=3));
    let modes = match rng.random_range(0..6) {
        0..=2 => vec![Mode::Exclusive],
        3 => vec![Mode::Exclusive, Mode::Shared { limit: None }],
        4 => vec![Mode::Shared { limit }],
        _ => vec![Mode::Exclusive, Mode::Shared { limit }, Mode::Shared { limit: None }],
    };
    let keys = if rng.random_bool(0.2) { vec!["a".into(), "b".into()] } else { vec!["a".into()] };
    let loss = if rng.random_bool(0.5) { 0.0 } else { 0.25 };
    let model = LockModel { slack: options.slack, policy: options.policy };
    let mut service = Service {
        rng,
        builder: HistoryBuilder::new(),
        model,
        state: LockState::default(),
        now: 0,
        clients: (0..clients).map(|_| None).collect(),
        keys,
        modes,
        leases: 0,
        loss,
        unsettled: Vec::new(),
    };
    service.run(count);
    service.builder.finish()
}

impl Service<'_> {
    fn run(&mut self, count: usize) {
        let mut invoked = 0;
        for _ in 0..count * 6 {
            if self.rng.random_bool(0.35) {
                self.now += self.rng.random_range(0..=3);
            }
            let client = self.rng.random_range(0..self.clients.len());
            match self.clients[client].take() {
                None if invoked < count => {
                    self.invoke(client);
                    invoked += 1;
                }
                None => {}
                Some(running) => self.go_on(client, running),
            }
            self.settle();
        }
        for client in 0..self.clients.len() {
            if let Some(running) = self.clients[client].take()
                && self.rng.random_bool(0.8)
            {
                self.finish(running);
            }
        }
    }

    fn invoke(&mut self, client: usize) {
        let call = self.call();
        let name = format!("c{client}");
        if let Ok(op) = self.builder.invoke(self.now, name, call.clone()) {
            self.clients[client] = Some(Running { op, call, outcome: None, enqueued: false });
        }
    }

    fn call(&mut self) -> Call {
        let key = self.keys.choose(self.rng).cloned().unwrap_or_else(|| "a".into());
        let acquiring = self.leases == 0 || self.rng.random_bool(0.45);
        if acquiring {
            let request = self.request(key);
            if self.rng.random_bool(0.35) {
                let deadline_ns = self.now + self.rng.random_range(0..=6);
                return Call::Acquire { request, deadline_ns };
            }
            return Call::TryAcquire(request);
        }
        let lease: Arc<str> = format!("l{}", self.rng.random_range(1..=self.leases)).into();
        let ttl_ns = self.rng.random_range(1..=5);
        match self.rng.random_range(0..10) {
            0..=3 => Call::Release { lease, key },
            4..=5 => Call::Extend { lease, key, ttl_ns },
            6 => Call::Downgrade { lease, key },
            7..=8 => Call::Inspect { key },
            _ => Call::Revoke { key },
        }
    }

    fn request(&mut self, key: Arc<str>) -> LeaseRequest {
        if self.leases == 0 || self.rng.random_bool(0.85) {
            self.leases += 1;
        }
        let mode = self.modes.choose(self.rng).copied().unwrap_or(Mode::Exclusive);
        let both = self.keys.len() > 1 && self.rng.random_bool(0.4);
        let shared = matches!(mode, Mode::Shared { .. });
        LeaseRequest {
            lease: format!("l{}", self.leases).into(),
            keys: if both { self.keys.clone() } else { vec![key] },
            mode,
            permits: if shared && self.rng.random_bool(0.2) { 2 } else { 1 },
            ttl_ns: self.rng.random_range(1..=6),
            min_hold_ns: if self.rng.random_bool(0.15) { self.rng.random_range(1..=4) } else { 0 },
        }
    }

    fn go_on(&mut self, client: usize, mut running: Running) {
        let late =
            running.call.waits() && !self.model.slack.is_exact() && self.rng.random_bool(0.5);
        if late {
            self.roam(&running);
        }
        if running.outcome.is_none() {
            if !late || self.rng.random_bool(0.2) {
                self.serve(&mut running);
            }
            if running.call.waits() && running.outcome.is_none() && !running.enqueued {
                running.enqueued = self.rng.random_bool(0.6)
                    && self.builder.enqueued(self.now, running.op).is_ok();
            }
            if self.rng.random_bool(0.6) {
                self.clients[client] = Some(running);
                return;
            }
        }
        let stays = running.call.waits() && running.outcome.is_none() && self.rng.random_bool(0.7);
        if stays {
            self.clients[client] = Some(running);
        } else {
            self.finish(running);
        }
    }

    /// Takes effect now, if it can.
    fn serve(&mut self, running: &mut Running) {
        let now = i64::try_from(self.now).unwrap_or(0);
        for outcome in self.outcomes(&running.call) {
            let took = Took::Outcome(&outcome);
            let queue = self.queue(running.op);
            let states = self.model.step(&self.state, now, &running.call, took, queue);
            if let Some(state) = states.choose(self.rng) {
                self.state = state.clone();
                running.outcome = Some(outcome);
                return;
            }
        }
    }

    /// A waiter on a server: granted before it hears of it, or looking again at what it was granted.
    fn roam(&mut self, running: &Running) {
        let now = i64::try_from(self.now).unwrap_or(0);
        let Some(request) = running.call.request() else { return };
        let Outcome::Granted { token, .. } = self.granted(request) else { return };
        let queue = self.queue(running.op);
        let states = if self.state.held(&request.keys[0], &request.lease).is_some() {
            let call = Call::TryAcquire(request.clone());
            self.model.step(&self.state, now, &call, Took::Effect(Some(token)), queue)
        } else if running.outcome.is_none() {
            self.model.grant(&self.state, now, request, Some(token), queue)
        } else {
            Vec::new()
        };
        if let Some(state) = states.choose(self.rng) {
            self.state = state.clone();
        }
    }

    fn queue(&self, me: OpId) -> QueueView {
        let waits = |running: &&Running| {
            running.op != me && running.call.waits() && running.outcome.is_none()
        };
        let possible = self.clients.iter().flatten().filter(waits).count();
        QueueView { possible, certain: 0, ahead: false }
    }

    fn outcomes(&mut self, call: &Call) -> Vec<Outcome> {
        match call {
            Call::TryAcquire(request) => vec![
                self.granted(request),
                Outcome::Held { reason: HeldReason::Lease },
                Outcome::Held { reason: HeldReason::Queue },
            ],
            Call::Acquire { request, .. } => vec![self.granted(request)],
            Call::Extend { .. } => vec![Outcome::Extended, Outcome::Lost],
            Call::Downgrade { .. } => vec![Outcome::Downgraded, Outcome::Lost],
            Call::Release { .. } => vec![Outcome::Released, Outcome::NotHeld],
            Call::Inspect { key } => self.readings(key),
            Call::Revoke { .. } => (0..4).map(|leases| Outcome::Revoked { leases }).collect(),
        }
    }

    fn granted(&mut self, request: &LeaseRequest) -> Outcome {
        let held = self.state.held(&request.keys[0], &request.lease).and_then(|lease| lease.token);
        let last = self.state.last_token.values().max().copied().unwrap_or(0);
        let token = held.unwrap_or(last + 1 + u64::from(self.rng.random_bool(0.3)));
        Outcome::Granted { token, ttl_ns: request.ttl_ns }
    }

    fn readings(&mut self, key: &Arc<str>) -> Vec<Outcome> {
        let now = i64::try_from(self.now).unwrap_or(0);
        let mut made = Vec::new();
        for state in self.state.at(now) {
            let remaining = self.rng.random_bool(0.5);
            let leases = state
                .on(key)
                .filter_map(|(_, lease)| {
                    let left = u64::try_from(lease.ends.lo - now).ok();
                    let remaining_ns = left.filter(|_| remaining);
                    Some(LeaseView { token: lease.token?, mode: Some(lease.mode), remaining_ns })
                })
                .collect();
            let waiters = self.rng.random_bool(0.3).then_some(0);
            made.push(Outcome::State { leases, waiters });
        }
        made
    }

    fn finish(&mut self, mut running: Running) {
        if running.outcome.is_none() {
            self.serve(&mut running);
        }
        let outcome = running.outcome.unwrap_or(match &running.call {
            Call::Acquire { request, .. } => {
                let now = i64::try_from(self.now).unwrap_or(0);
                if let Some(state) = self.model.leave(&self.state, now, request).choose(self.rng) {
                    self.state = state.clone();
                }
                Outcome::TimedOut
            }
            _ => Outcome::Error { effect: Effect::None, kind: None },
        });
        if self.rng.random_bool(self.loss) {
            self.unsettled.push(running.op);
            if self.rng.random_bool(0.5) {
                let _ = self.builder.returned(self.now, running.op, Outcome::unknown()).is_ok();
            }
        } else {
            let _ = self.builder.returned(self.now, running.op, outcome).is_ok();
        }
    }

    fn settle(&mut self) {
        if !self.unsettled.is_empty() && self.rng.random_bool(0.1) {
            let op = self.unsettled.remove(0);
            let _ = self.builder.settled(self.now, op).is_ok();
        }
    }
}
