//! Tasks that wait for a key: where they sit, and the future they wait in.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use leasehold::{
    Acquire, AcquireRequest, Clock, Error, Grant, LeaseId, Result, Sleep, Timestamp, observe,
};

use crate::{
    keys::{Entry, Keys},
    state::{Turn, WakeUp},
};

/// Wakers to be woken once the key is unlocked: waking, and dropping a waker too, may drop a task that needs the key.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(crate) fn wake(self) {
        self.0.into_iter().for_each(Waker::wake);
    }
}

/// The tasks that wait for one key. For most keys nobody ever did: no room for them.
#[derive(Debug, Default)]
pub(crate) struct Seats(Option<Box<Taken>>);

/// Each task has a seat of its own, so that an id asked for twice wakes both.
#[derive(Debug, Default)]
struct Taken {
    seats: BTreeMap<SeatId, Seat>,
    /// No alarm is set for later than this.
    latest_alarm: Timestamp,
}

/// Whose seat, and which.
type SeatId = (LeaseId, u64);

#[derive(Debug)]
struct Seat {
    waker: Waker,
    /// When its task wakes by itself.
    alarm: Timestamp,
    /// What it was granted. Unless it has run out it is the answer, even if it was released or revoked
    /// before the task ran: the acquisition took place when it was granted.
    granted: Option<Grant>,
    /// Another task took the id's lease after this grant was over.
    taken: bool,
}

impl Seats {
    fn are_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|taken| taken.seats.is_empty())
    }

    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |taken| taken.seats.len())
    }

    fn of(&self, id: LeaseId) -> impl Iterator<Item = (&SeatId, &Seat)> {
        let taken = self.0.iter();
        taken.flat_map(move |taken| taken.seats.range((id, 0)..=(id, u64::MAX)))
    }

    fn of_mut(&mut self, id: LeaseId) -> impl Iterator<Item = &mut Seat> {
        let taken = self.0.iter_mut();
        let seats = taken.flat_map(move |taken| taken.seats.range_mut((id, 0)..=(id, u64::MAX)));
        seats.map(|(_, seat)| seat)
    }

    /// Takes the seat, or takes it again; returns what sat there before.
    fn sit(&mut self, seat: SeatId, waker: &Waker, alarm: Timestamp) -> Option<Waker> {
        let taken = self.0.get_or_insert_default();
        taken.latest_alarm = taken.latest_alarm.max(alarm);
        let waker = waker.clone();
        let before = taken.seats.insert(seat, Seat { waker, alarm, granted: None, taken: false });
        before.map(|seat| seat.waker)
    }

    /// Leaves the seat.
    fn rise(&mut self, seat: SeatId) -> Option<Seat> {
        self.0.as_mut()?.seats.remove(&seat)
    }

    fn tell(&mut self, wake_up: &WakeUp) {
        for seat in self.of_mut(wake_up.id) {
            seat.granted = Some(wake_up.grant);
        }
    }

    /// What this seat was granted, if it has not run out since.
    fn granted(&self, seat: SeatId, now: Timestamp) -> Option<Grant> {
        let granted = self.0.as_ref()?.seats.get(&seat)?.granted;
        granted.filter(|grant| now < grant.since + grant.ttl.get())
    }

    /// The id has the lease: whoever waits under it has it too, also if it is over before the task runs.
    fn share(&mut self, id: LeaseId, grant: Grant) -> Vec<Waker> {
        let waiting = self.of_mut(id).filter(|seat| seat.granted.is_none());
        waiting
            .map(|seat| {
                seat.granted = Some(grant);
                seat.waker.clone()
            })
            .collect()
    }

    /// Empties every seat of this id, but for those that have an answer already.
    fn clear(&mut self, id: LeaseId) -> Vec<Waker> {
        self.of_mut(id).for_each(|seat| seat.taken = true);
        let empty: Vec<_> =
            self.of(id).filter(|(_, seat)| seat.granted.is_none()).map(|(seat, _)| *seat).collect();
        let seats = empty.iter().filter_map(|seat| self.rise(*seat));
        seats.map(|seat| seat.waker).collect()
    }

    /// Whom to wake because the key may change at `next`, before their alarms.
    fn sleeping_past(&mut self, next: Timestamp, wakers: &mut Vec<Waker>) {
        let Some(taken) = self.0.as_mut().filter(|taken| next < taken.latest_alarm) else {
            return;
        };
        taken.latest_alarm = next;
        for seat in taken.seats.values_mut().filter(|seat| next < seat.alarm) {
            seat.alarm = next;
            wakers.push(seat.waker.clone());
        }
    }
}

impl Entry {
    /// Whom to wake after an operation: those it granted, and those who would sleep past the key's next change.
    pub(crate) fn wakers(&mut self, granted: &[WakeUp]) -> Wakers {
        if self.seats.are_empty() {
            return Wakers::default();
        }
        let mut wakers = Vec::new();
        for wake_up in granted {
            self.add_wakers_of(wake_up.id, &mut wakers);
            self.seats.tell(wake_up);
        }
        if let Some(next) = self.state.next_wake() {
            self.seats.sleeping_past(next, &mut wakers);
        }
        Wakers(wakers)
    }

    /// As [`wakers`](Self::wakers), and whoever waits under this id: it was given up.
    pub(crate) fn wakers_and(&mut self, given_up: LeaseId, granted: &[WakeUp]) -> Wakers {
        let Wakers(mut wakers) = self.wakers(granted);
        if self.seats.are_empty() {
            return Wakers(wakers);
        }
        self.add_wakers_of(given_up, &mut wakers);
        Wakers(wakers)
    }

    fn add_wakers_of(&self, id: LeaseId, wakers: &mut Vec<Waker>) {
        wakers.extend(self.seats.of(id).map(|(_, seat)| seat.waker.clone()));
    }
}

/// Waits in the queue of one key. Dropped before it was ready, it leaves nothing: neither its place nor a lease that was
/// granted to it meanwhile.
pub(crate) struct Wait<'a> {
    keys: &'a Keys,
    clock: &'a dyn Clock,
    request: &'a AcquireRequest,
    deadline: Timestamp,
    seat: Option<SeatId>,
    timer: Option<(Timestamp, Sleep)>,
}

/// What a waiting task sees.
enum Look {
    /// It need not wait any longer.
    Over(Result<Acquire>),
    /// Nothing will change before this instant, unless somebody wakes it.
    Until(Timestamp),
}

impl<'a> Wait<'a> {
    pub(crate) fn new(
        keys: &'a Keys,
        clock: &'a dyn Clock,
        request: &'a AcquireRequest,
        deadline: Timestamp,
    ) -> Self {
        Self { keys, clock, request, deadline, seat: None, timer: None }
    }

    /// Asks the key how it stands, and takes a seat if it has to wait.
    fn look(&mut self, waker: &Waker) -> Look {
        let (request, deadline, before) = (self.request, self.deadline, self.seat.take());
        let seat = before.unwrap_or_else(|| (request.id(), self.keys.seat_number()));
        let (mut ahead, mut handed_over) = (None, None);
        let (look, _dropped_unlocked) = self.keys.with(self.clock, request.key(), |entry, now| {
            let (turn, granted) = match before {
                None => entry.state.acquire(now, request, deadline),
                Some(seat) => match entry.seats.granted(seat, now) {
                    Some(grant) => {
                        handed_over = Some(now.since(grant.since));
                        (Ok(Turn::Granted(grant)), Vec::new())
                    }
                    None => entry.state.resume(now, request, deadline),
                },
            };
            let mut wakers = entry.wakers(&granted);
            let (over, dropped) = match turn {
                Ok(Turn::Waiting) => {
                    ahead = before.is_none().then_some(entry.seats.len());
                    let alarm = entry.state.next_wake().unwrap_or(deadline).min(deadline);
                    let dropped = entry.seats.sit(seat, waker, alarm);
                    return ((Look::Until(alarm), dropped), wakers);
                }
                Ok(Turn::Granted(grant)) => {
                    let risen = entry.rise(seat);
                    if handed_over.is_none() {
                        wakers.0.extend(entry.seats.share(request.id(), grant));
                    }
                    (Ok(Acquire::Granted(grant)), risen)
                }
                Ok(Turn::TimedOut(held)) => (Ok(Acquire::TimedOut(held)), entry.rise(seat)),
                Err(refusal) => {
                    let error = Error::from(refusal).with_operation("acquire");
                    (Err(error.with_key(request.key())), entry.rise(seat))
                }
            };
            wakers.0.extend(entry.seats.clear(request.id()));
            ((Look::Over(over), dropped), wakers)
        });
        if matches!(look, Look::Until(_)) {
            self.seat = Some(seat);
        }
        ahead.into_iter().for_each(observe::backend::queued);
        handed_over.into_iter().for_each(observe::backend::handed_over);
        look
    }
}

impl Entry {
    /// Leaves the seat.
    fn rise(&mut self, seat: SeatId) -> Option<Waker> {
        self.seats.rise(seat).map(|seat| seat.waker)
    }
}

impl Future for Wait<'_> {
    type Output = Result<Acquire>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let alarm = match this.look(context.waker()) {
                Look::Over(outcome) => return Poll::Ready(outcome),
                Look::Until(alarm) => alarm,
            };
            let timer = match this.timer.take() {
                Some((at, timer)) if at == alarm => timer,
                _ => this.clock.sleep_until(alarm),
            };
            let (_, timer) = this.timer.insert((alarm, timer));
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            this.timer = None;
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(seat) = self.seat.take() else {
            return;
        };
        let id = seat.0;
        let dropped_unlocked =
            self.keys.with_known(self.clock, self.request.key(), |entry, now| {
                let risen = entry.seats.rise(seat);
                // Another task may wait under the same id, or have taken the lease already: then it is theirs.
                let ours = risen.as_ref().is_some_and(|seat| !seat.taken);
                if !ours || entry.seats.of(id).next().is_some() {
                    return (risen, Wakers::default());
                }
                let granted = entry.state.leave(now, id);
                (risen, entry.wakers(&granted))
            });
        drop(dropped_unlocked);
    }
}
