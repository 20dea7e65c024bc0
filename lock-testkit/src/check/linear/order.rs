//! The events that are still to be explained, in real-time order, as a list that forgets and remembers.

/// An event of an operation (a number within the part).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Invoked(usize),
    Closed(usize),
}

/// A doubly linked list over the events; taking an operation out and putting it back is constant time.
#[derive(Debug)]
pub(super) struct Order {
    events: Vec<Event>,
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Places of the invocation and the closing of each operation.
    places: Vec<(usize, Option<usize>)>,
}

/// The end of the list, and the place before its first event.
const END: usize = 0;

impl Order {
    /// Events in order, `places[op]` being filled from them.
    pub(super) fn new(events: &[Event], operations: usize) -> Self {
        let count = events.len() + 1;
        let mut places = vec![(END, None); operations];
        for (index, event) in events.iter().enumerate() {
            match *event {
                Event::Invoked(op) => places[op].0 = index + 1,
                Event::Closed(op) => places[op].1 = Some(index + 1),
            }
        }
        let events = std::iter::once(Event::Closed(usize::MAX)).chain(events.iter().copied());
        Self {
            events: events.collect(),
            next: (0..count).map(|place| (place + 1) % count).collect(),
            previous: (0..count).map(|place| (place + count - 1) % count).collect(),
            places,
        }
    }

    /// The first event.
    pub(super) fn first(&self) -> Option<(usize, Event)> {
        self.after(END)
    }

    /// The event after a place.
    #[inline]
    pub(super) fn after(&self, place: usize) -> Option<(usize, Event)> {
        let next = self.next[place];
        (next != END).then(|| (next, self.events[next]))
    }

    /// Takes an operation out.
    pub(super) fn lift(&mut self, op: usize) {
        let (invoked, closed) = self.places[op];
        self.unlink(invoked);
        if let Some(closed) = closed {
            self.unlink(closed);
        }
    }

    /// Puts back the operation that was taken out last.
    pub(super) fn unlift(&mut self, op: usize) {
        let (invoked, closed) = self.places[op];
        if let Some(closed) = closed {
            self.relink(closed);
        }
        self.relink(invoked);
    }

    fn unlink(&mut self, place: usize) {
        let (previous, next) = (self.previous[place], self.next[place]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    fn relink(&mut self, place: usize) {
        let (previous, next) = (self.previous[place], self.next[place]);
        self.next[previous] = place;
        self.previous[next] = place;
    }
}
