//! What holds after any sequence of operations, judged from outside the state machine.

use std::{collections::BTreeMap, time::Duration};

use leasehold::{
    AcquireRequest, Downgrade, Extension, FencingToken, Grant, KeyState, Mode, Release, Timestamp,
    TryAcquire,
};
use leasehold_memory::state::{Operation, Outcome, Retention, State, Turn};
use proptest::prelude::*;

use crate::support::*;

const IDS: u8 = 6;

/// A lease as one who only sees outcomes would keep it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    token: FencingToken,
    granted_at: Timestamp,
    ends_at: Timestamp,
    min_hold: Duration,
    released: bool,
}

#[derive(Debug, Default)]
struct Observer {
    leases: BTreeMap<u8, Seen>,
    /// Ids in the order in which they began to wait, with their deadlines.
    queue: Vec<(u8, Timestamp)>,
    greatest: Option<FencingToken>,
}

impl Observer {
    fn granted(&mut self, number: u8, grant: Grant, request: &AcquireRequest, now: Timestamp) {
        self.queue.retain(|(waiting, _)| *waiting != number);
        if let Some(lease) = self.leases.get_mut(&number).filter(|lease| now < lease.ends_at) {
            assert!(!lease.released, "a released lease was revived");
            assert_eq!(lease.token, grant.token, "the same lease got another token");
            lease.ends_at = lease.ends_at.max(now + request.ttl().get());
            return;
        }
        assert!(self.greatest < Some(grant.token), "G2: tokens grow in grant order");
        self.greatest = Some(grant.token);
        let lease = Seen {
            token: grant.token,
            granted_at: now,
            ends_at: now + grant.ttl.get(),
            min_hold: request.min_hold().unwrap_or_default(),
            released: false,
        };
        self.leases.insert(number, lease);
    }

    fn holds(&self, number: u8, now: Timestamp) -> bool {
        let lease = self.leases.get(&number);
        lease.is_some_and(|lease| now < lease.ends_at && !lease.released)
    }

    fn waits(&self, number: u8) -> bool {
        self.queue.iter().any(|(waiting, _)| *waiting == number)
    }

    fn forget(&mut self, number: u8) {
        self.queue.retain(|(waiting, _)| *waiting != number);
    }

    /// G6: waiters are granted in order, past those only whose deadline is over.
    fn served(&mut self, number: u8, now: Timestamp) {
        for (waiting, deadline) in &self.queue {
            if *waiting == number {
                break;
            }
            let late = *deadline < now;
            assert!(late, "G6: {number} was granted before {waiting}");
        }
        self.forget(number);
    }

    fn see(
        &mut self,
        request: &AcquireRequest,
        operation: &Operation,
        outcome: &Outcome,
        now: Timestamp,
    ) {
        let number = request.id().expose_bytes()[0];
        match (operation, outcome) {
            (
                _,
                Outcome::TryAcquire(Ok(TryAcquire::Granted(grant)))
                | Outcome::Acquire(Ok(Turn::Granted(grant))),
            ) => {
                self.granted(number, *grant, request, now);
            }
            (Operation::Acquire { deadline, .. }, Outcome::Acquire(Ok(Turn::Waiting)))
                if !self.waits(number) =>
            {
                self.queue.push((number, *deadline));
            }
            (Operation::Extend { ttl, .. }, Outcome::Extend(extension)) => {
                let holds = self.holds(number, now);
                assert_eq!(*extension == Extension::Extended, holds, "G4: extend");
                if let Some(lease) = self.leases.get_mut(&number).filter(|_| holds) {
                    lease.ends_at = lease.ends_at.max(now + ttl.get());
                }
            }
            (Operation::Downgrade { .. }, Outcome::Downgrade(downgrade)) => {
                let holds = self.holds(number, now);
                let can = request.mode().is_exclusive() || request.mode() == Mode::READ;
                assert_eq!(*downgrade == Ok(Downgrade::Downgraded), holds && can, "G4: downgrade");
                assert_eq!(downgrade.is_err(), holds && !can);
            }
            (Operation::Release { .. }, Outcome::Release(release)) => {
                let holds = self.holds(number, now);
                assert_eq!(*release == Release::Released, holds, "G4: release");
                if let Some(lease) = self.leases.get_mut(&number).filter(|_| holds) {
                    lease.ends_at = now.max(lease.granted_at + lease.min_hold);
                    lease.released = true;
                }
                self.forget(number);
            }
            (Operation::Leave { .. }, _) => {
                if self.holds(number, now) {
                    self.leases.remove(&number);
                }
                self.forget(number);
            }
            (Operation::Revoke, _) => self.leases.clear(),
            _ => {}
        }
    }

    /// What the machine shows is what its outcomes said, nothing more and nothing less.
    fn agrees(&self, shown: &KeyState, now: Timestamp) {
        let live = self.leases.values().filter(|lease| now < lease.ends_at);
        let mut live: Vec<_> =
            live.map(|lease| (lease.token, lease.ends_at.since(now), lease.released)).collect();
        live.sort();
        let shown: Vec<_> = shown
            .leases
            .iter()
            .map(|lease| (lease.token, lease.remaining, lease.released))
            .collect();
        assert_eq!(shown, live, "the live leases");
    }
}

/// G1, in the words of the guarantee: no exclusive lease beside another, and no more permits than any member's limit.
fn exclusive(leases: &[(Mode, u32)]) -> bool {
    let permits: u64 = leases.iter().map(|(_, permits)| u64::from(*permits)).sum();
    leases.iter().all(|(mode, _)| match mode {
        Mode::Exclusive => leases.len() == 1,
        Mode::Shared { limit } => limit.allows(permits),
    })
}

fn live(shown: &KeyState) -> Vec<(Mode, u32)> {
    let leases = shown.leases.iter();
    leases.map(|lease| (lease.mode, lease.permits)).collect()
}

/// G7: whoever is first in the queue can't be granted yet.
fn nobody_waits_in_vain(shown: &KeyState) -> bool {
    shown.waiters.first().is_none_or(|first| {
        let mut with_first = live(shown);
        with_first.push((first.mode, first.permits));
        !exclusive(&with_first)
    })
}

/// Whether it was an operation that may leave a grant to the next tick.
fn changed_nothing(operation: &Operation, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::TryAcquire(_) | Outcome::Inspect(_) | Outcome::Acquire(Err(_)) => true,
        Outcome::Acquire(Ok(turn)) => matches!(turn, Turn::Granted(_)),
        Outcome::Extend(extension) => *extension == Extension::Lost,
        Outcome::Downgrade(downgrade) => *downgrade != Ok(Downgrade::Downgraded),
        Outcome::Release(release) => *release == Release::NotHeld,
        Outcome::Done => matches!(operation, Operation::Leave { .. }),
        Outcome::Revoke(_) => false,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pass(Duration),
    ToNextWake,
    Do(u8, Verb),
}

#[derive(Clone, Debug)]
enum Verb {
    Try,
    Wait(Duration),
    Extend(u64),
    Downgrade,
    Release,
    Leave,
    Revoke,
    Tick,
}

/// Each id has its own terms, so that it can be used again and again.
fn request_of(number: u8) -> AcquireRequest {
    match number % 6 {
        0 => by(number),
        1 => by(number).with_min_hold(secs(4)).unwrap(),
        2 => reader(number),
        3 => shared_by(number, 3, 1),
        4 => shared_by(number, 3, 2),
        _ => reader(number).with_min_hold(secs(2)).unwrap(),
    }
}

fn operation(number: u8, verb: &Verb, now: Timestamp) -> Operation {
    let (request, id) = (request_of(number), id(number));
    match verb {
        Verb::Try => Operation::TryAcquire(request),
        Verb::Wait(patience) => Operation::Acquire { request, deadline: now + *patience },
        Verb::Extend(seconds) => Operation::Extend { id, ttl: ttl(*seconds) },
        Verb::Downgrade => Operation::Downgrade { id },
        Verb::Release => Operation::Release { id },
        Verb::Leave => Operation::Leave { id },
        Verb::Revoke => Operation::Revoke,
        Verb::Tick => Operation::Tick,
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pass = prop_oneof![
        Just(Duration::from_nanos(1)),
        Just(Duration::from_micros(1)),
        (1_u64..8).prop_map(secs),
    ];
    let patience = prop_oneof![Just(Duration::ZERO), (1_u64..30).prop_map(secs)];
    let verb = prop_oneof![
        4 => Just(Verb::Try),
        6 => patience.prop_map(Verb::Wait),
        2 => (1_u64..20).prop_map(Verb::Extend),
        2 => Just(Verb::Downgrade),
        4 => Just(Verb::Release),
        1 => Just(Verb::Leave),
        1 => Just(Verb::Revoke),
        1 => Just(Verb::Tick),
    ];
    let step = prop_oneof![
        2 => pass.prop_map(Step::Pass),
        1 => Just(Step::ToNextWake),
        8 => (0..IDS, verb).prop_map(|(number, verb)| Step::Do(number, verb)),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_sequence_keeps_exclusion_fencing_ownership_order_and_liveness(steps in steps()) {
        // Short, so that ids come back and keys are forgotten within a sequence.
        let retention = Retention { time: secs(3), ids: 4 };
        let (mut state, mut seen) = (State::new(retention), Observer::default());
        let mut now = Timestamp::ORIGIN;
        for step in steps {
            let (number, verb) = match step {
                Step::Pass(time) => {
                    now = now + time;
                    (0, Verb::Tick)
                }
                Step::ToNextWake => {
                    now = state.next_wake().unwrap_or(now).max(now);
                    (0, Verb::Tick)
                }
                Step::Do(number, verb) => (number, verb),
            };
            let operation = operation(number, &verb, now);
            let (outcome, granted) = state.apply(now, &operation);
            if matches!(outcome, Outcome::Acquire(Ok(Turn::TimedOut(_)))) {
                seen.forget(number);
            }
            // Whoever asks comes after those ahead of it; whoever lets go comes before those it sets free.
            let asks = matches!(outcome, Outcome::TryAcquire(_) | Outcome::Acquire(_));
            if !asks {
                seen.see(&request_of(number), &operation, &outcome, now);
            }
            for wake_up in &granted {
                let number = wake_up.id.expose_bytes()[0];
                seen.served(number, now);
                seen.granted(number, wake_up.grant, &request_of(number), now);
            }
            if asks {
                seen.see(&request_of(number), &operation, &outcome, now);
            }

            let shown = state.inspect(now);
            seen.agrees(&shown, now);
            prop_assert!(exclusive(&live(&shown)), "G1: {shown:?}");
            let mut ticked = state.clone();
            ticked.tick(now);
            prop_assert!(nobody_waits_in_vain(&ticked.inspect(now)), "G7: {shown:?}");
            prop_assert!(changed_nothing(&operation, &outcome) || ticked == state, "{state:?}");
            if state.is_forgettable(now) {
                state = State::new(retention);
            }
        }
    }
}
