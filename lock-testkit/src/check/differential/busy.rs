//! A correct lock under load, for histories of any length.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::history::{
    Call, HeldReason, History, HistoryBuilder, HistoryError, LeaseRequest, LeaseView, OpId, Outcome,
};

/// What a simulated run looks like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Operations.
    pub operations: usize,
    /// Clients, each with one operation open nearly always.
    pub clients: usize,
    /// Ttl of the leases, in nanoseconds; an operation takes 40 to 800.
    pub ttl_ns: u64,
    /// How many answers of a thousand are lost.
    pub lost: u32,
    /// Whether acquires wait in a queue.
    pub waits: bool,
}

struct Client {
    lease: Arc<str>,
    leases: usize,
    holds: bool,
    op: OpId,
    call: Option<Call>,
    outcome: Option<Outcome>,
}

struct Service {
    holder: Option<(Arc<str>, u64, u64)>,
    token: u64,
    key: Arc<str>,
}

impl Service {
    fn live(&mut self, now: u64) -> Option<&mut (Arc<str>, u64, u64)> {
        self.holder.as_mut().filter(|(_, _, ends)| now < *ends)
    }

    fn serve(&mut self, now: u64, call: &Call) -> Option<Outcome> {
        let token = self.token + 1;
        match call {
            Call::TryAcquire(request) | Call::Acquire { request, .. } => {
                if self.live(now).is_some() {
                    return (!call.waits()).then_some(Outcome::Held { reason: HeldReason::Lease });
                }
                self.token = token;
                self.holder = Some((Arc::clone(&request.lease), token, now + request.ttl_ns));
                Some(Outcome::Granted { token, ttl_ns: request.ttl_ns })
            }
            Call::Extend { lease, ttl_ns, .. } => match self.live(now) {
                Some((holder, _, ends)) if holder == lease => {
                    *ends = (now + ttl_ns).max(*ends);
                    Some(Outcome::Extended)
                }
                _ => Some(Outcome::Lost),
            },
            Call::Release { lease, .. } => match self.live(now) {
                Some((holder, _, _)) if holder == lease => {
                    self.holder = None;
                    Some(Outcome::Released)
                }
                _ => Some(Outcome::NotHeld),
            },
            Call::Inspect { .. } => {
                let view = |(_, token, _): &mut (Arc<str>, u64, u64)| LeaseView {
                    token: *token,
                    mode: None,
                    remaining_ns: None,
                };
                let leases = self.live(now).map(view).into_iter().collect();
                Some(Outcome::State { leases, waiters: None })
            }
            Call::Downgrade { .. } | Call::Revoke { .. } => None,
        }
    }
}

fn next_call(
    rng: &mut SmallRng,
    number: usize,
    client: &mut Client,
    shape: Shape,
    now: u64,
    key: &Arc<str>,
) -> Call {
    let (lease, key) = (Arc::clone(&client.lease), Arc::clone(key));
    if client.holds {
        return match rng.random_range(0..10) {
            0..=3 => Call::Extend { lease, key, ttl_ns: shape.ttl_ns },
            4..=7 => Call::Release { lease, key },
            _ => Call::Inspect { key },
        };
    }
    if rng.random_bool(0.2) {
        return Call::Inspect { key };
    }
    client.leases += 1;
    client.lease = format!("c{number}.{}", client.leases).into();
    let request = LeaseRequest::exclusive(Arc::clone(&client.lease), key, shape.ttl_ns);
    if shape.waits {
        Call::Acquire { request, deadline_ns: now + 20 * shape.ttl_ns }
    } else {
        Call::TryAcquire(request)
    }
}

/// The history of a correct exclusive lock on one key under load.
///
/// # Errors
/// None in practice: the events that it makes are well formed.
pub fn busy_history(shape: Shape, seed: u64) -> Result<History, HistoryError> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut builder = HistoryBuilder::new();
    let key: Arc<str> = "orders/42".into();
    let mut service = Service { holder: None, token: 0, key: Arc::clone(&key) };
    let names: Vec<Arc<str>> =
        (0..shape.clients).map(|number| format!("c{number}").into()).collect();
    let mut clients: Vec<Client> = names
        .iter()
        .map(|name| Client {
            lease: Arc::clone(name),
            leases: 0,
            holds: false,
            op: OpId(0),
            call: None,
            outcome: None,
        })
        .collect();
    let mut agenda: BinaryHeap<Reverse<(u64, usize, u8)>> =
        (0..shape.clients).map(|client| Reverse((client as u64, client, 0))).collect();
    let mut invoked = 0;
    while let Some(Reverse((now, number, phase))) = agenda.pop() {
        let client = &mut clients[number];
        let pause = rng.random_range(20..400);
        match phase {
            0 if invoked < shape.operations => {
                let call = next_call(&mut rng, number, client, shape, now, &service.key);
                client.op = builder.invoke(now, Arc::clone(&names[number]), call.clone())?;
                client.call = Some(call);
                invoked += 1;
                agenda.push(Reverse((now + pause, number, 1)));
            }
            0 => {}
            1 => {
                let Some(call) = &client.call else { continue };
                let outcome = service.serve(now, call);
                let waits = matches!(call, Call::Acquire { deadline_ns, .. } if *deadline_ns > now);
                if outcome.is_none() && waits {
                    agenda.push(Reverse((now + 50, number, 1)));
                } else {
                    client.outcome = Some(outcome.unwrap_or(Outcome::TimedOut));
                    agenda.push(Reverse((now + pause, number, 2)));
                }
            }
            _ => {
                let Some(outcome) = client.outcome.take() else {
                    continue;
                };
                let lost = rng.random_range(0..1_000) < shape.lost;
                client.holds = match outcome {
                    Outcome::Granted { .. } => true,
                    Outcome::Lost | Outcome::Released | Outcome::NotHeld => false,
                    _ => client.holds,
                } && !lost;
                let outcome = if lost { Outcome::unknown() } else { outcome };
                builder.returned(now, client.op, outcome)?;
                agenda.push(Reverse((now + pause / 10, number, 0)));
            }
        }
    }
    Ok(builder.finish())
}
