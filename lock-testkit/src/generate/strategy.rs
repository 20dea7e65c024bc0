//! Making programs at random, so that proptest can shrink them.

use std::{fmt, str::FromStr, time::Duration};

use proptest::{
    collection::vec,
    prelude::{BoxedStrategy, Strategy, any},
    sample::select,
};

use super::program::{Action, Ask, LeaseRef, Link, Program, Sharing, Step};

/// What programs look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Two or three clients and no latency; think times on, just before and just after the quarters of the ttl. The
    /// profile that finds what is wrong at the ends of leases.
    Grid,
    /// Three to six clients, connections that delay and lose messages, think times of all lengths. The profile that
    /// finds what is wrong with overlapping operations.
    Latency,
    /// Three or four clients, short ttls, no more latency than there is: for a real server.
    Real,
}

impl Profile {
    /// The name, as in a seed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Latency => "latency",
            Self::Real => "real",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = leasehold::Error;

    fn from_str(name: &str) -> leasehold::Result<Self> {
        let found = [Self::Grid, Self::Latency, Self::Real].into_iter();
        found
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or_else(|| leasehold::Error::invalid("profile", name, "grid, latency or real"))
    }
}

/// The programs of a profile. They shrink to fewer clients, fewer and plainer steps, and shorter times.
pub fn programs(profile: Profile) -> BoxedStrategy<Program> {
    let clients = match profile {
        Profile::Grid => vec(vec(raw_step(), 0..=10), 2..=3),
        Profile::Latency => vec(vec(raw_step(), 0..=8), 3..=6),
        Profile::Real => vec(vec(raw_step(), 1..=8), 3..=4),
    };
    let shape = (select(ttls(profile)), select(FLAVOURS.to_vec()), any::<u64>());
    let link = (any::<u64>(), select(vec![1_u64, 8, 2, 4]), select(vec![0_u16, 0, 20, 60]));
    (shape, link, clients)
        .prop_map(move |((ttl, flavour, order), link, clients)| {
            let maker = Maker { profile, ttl, flavour, clients: clients.len() };
            let clients = clients.iter().enumerate();
            let client = |(number, steps): (usize, &Vec<Raw>)| {
                steps.iter().flat_map(|raw| maker.steps(number, raw)).collect()
            };
            Program {
                order: if profile == Profile::Real { 0 } else { order },
                link: (profile == Profile::Latency).then(|| Link {
                    seed: link.0,
                    delay: ttl / u32::try_from(link.1).unwrap_or(4),
                    loss: link.2,
                }),
                clients: clients.map(client).collect(),
            }
        })
        .boxed()
}

/// Ttls in ms. Whole seconds and parts of seconds are there for backends that round.
fn ttls(profile: Profile) -> Vec<Duration> {
    let millis: &[u64] = match profile {
        Profile::Grid | Profile::Latency => &[20, 20, 20, 8, 900, 1_500],
        Profile::Real => &[20, 40],
    };
    millis.iter().map(|millis| Duration::from_millis(*millis)).collect()
}

/// What a program is about, so that its few operations meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    Exclusive,
    Shared,
    Limits,
    Holds,
    SeveralKeys,
    Queue,
}

const FLAVOURS: [Flavour; 10] = [
    Flavour::Exclusive,
    Flavour::Exclusive,
    Flavour::Exclusive,
    Flavour::Shared,
    Flavour::Shared,
    Flavour::Limits,
    Flavour::Holds,
    Flavour::SeveralKeys,
    Flavour::Queue,
    Flavour::Queue,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Try,
    Wait,
    Release,
    Extend,
    Again,
    WaitAgain,
    AgainOther,
    Look,
    Revoke,
}

/// Each as often as it is drawn; the plainest first, because shrinking goes to the front.
const VERBS: [Verb; 20] = [
    Verb::Try,
    Verb::Try,
    Verb::Try,
    Verb::Try,
    Verb::Try,
    Verb::Release,
    Verb::Release,
    Verb::Release,
    Verb::Release,
    Verb::Extend,
    Verb::Extend,
    Verb::Extend,
    Verb::Wait,
    Verb::Wait,
    Verb::Wait,
    Verb::Wait,
    Verb::Again,
    Verb::Look,
    Verb::Look,
    Verb::Revoke,
];

/// Rarer verbs, drawn when the dice say so.
const RARE: [Verb; 3] = [Verb::Again, Verb::WaitAgain, Verb::AgainOther];

/// Think times in quarters of the ttl, and ms more or less.
const THINKS: [(u32, i64); 9] =
    [(0, 0), (0, 0), (0, 1), (1, 0), (2, 0), (4, -1), (4, 0), (4, 0), (4, 1)];

/// Ttls and waits in quarters of the ttl.
const LENGTHS: [u32; 6] = [4, 4, 4, 2, 8, 1];

/// Whose lease: how many clients further, how many acquires back.
const LEASES: [(usize, usize); 8] =
    [(0, 0), (0, 0), (0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (0, 9)];

/// Everything a step may need, whatever it turns out to be.
#[derive(Clone, Debug)]
struct Raw {
    verb: Verb,
    rare: u8,
    think: (u32, i64),
    random_think: u16,
    lease: (usize, usize),
    length: u32,
    wait: u32,
    variant: u8,
    cut: u8,
}

fn raw_step() -> impl Strategy<Value = Raw> {
    let what = (select(&VERBS[..]), 0_u8..32, select(&LEASES[..]), 0_u8..12);
    let when = (select(&THINKS[..]), any::<u16>(), select(&LENGTHS[..]), select(&LENGTHS[..]));
    (what, when, 0_u8..24).prop_map(
        |((verb, rare, lease, variant), (think, random_think, length, wait), cut)| Raw {
            verb,
            rare,
            think,
            random_think,
            lease,
            length,
            wait,
            variant,
            cut,
        },
    )
}

const MILLI: Duration = Duration::from_millis(1);

struct Maker {
    profile: Profile,
    ttl: Duration,
    flavour: Flavour,
    clients: usize,
}

impl Maker {
    /// On a real server, who is going to wait looks first: what it sees there is how the order of service is judged.
    fn steps(&self, client: usize, raw: &Raw) -> Vec<Step> {
        let step = self.step(client, raw);
        match step.action {
            Action::Wait(ask, _) if self.profile == Profile::Real && ask.keys == 1 => {
                let look = Step { think: step.think, action: Action::Look(0), cut: None };
                vec![look, Step { think: Duration::ZERO, ..step }]
            }
            _ => vec![step],
        }
    }

    fn step(&self, client: usize, raw: &Raw) -> Step {
        let (further, back) = raw.lease;
        let lease = LeaseRef { client: (client + further) % self.clients, back };
        let wait = self.quarters(raw.wait);
        let wait = if self.flavour == Flavour::Queue { wait * 3 } else { wait };
        let action = match self.verb(raw) {
            Verb::Try => Action::Try(self.ask(raw)),
            Verb::Wait => Action::Wait(self.ask(raw), wait),
            Verb::Release => Action::Release(lease),
            Verb::Extend => Action::Extend(lease, self.quarters(raw.length)),
            Verb::Again => Action::Again { lease, wait: None, other: false },
            Verb::WaitAgain => Action::Again { lease, wait: Some(wait), other: false },
            Verb::AgainOther => Action::Again { lease, wait: None, other: true },
            Verb::Look => Action::Look(self.key(raw)),
            Verb::Revoke => Action::Revoke(self.key(raw)),
        };
        Step { think: self.think(raw), action, cut: self.cut(raw) }
    }

    /// The verb, bent towards what the program is about.
    fn verb(&self, raw: &Raw) -> Verb {
        if let Some(rare) = RARE.get(usize::from(raw.rare).wrapping_sub(29)) {
            // Dropped, such a wait gives up the id, and its lease with it: on Redis without its minimum hold.
            let waits = *rare == Verb::WaitAgain && self.profile == Profile::Real;
            return if waits { Verb::Again } else { *rare };
        }
        match (self.flavour, raw.verb) {
            (Flavour::Holds, Verb::Try) if raw.variant.is_multiple_of(3) => Verb::Release,
            (Flavour::Holds, Verb::Wait) if raw.variant.is_multiple_of(2) => Verb::Again,
            (Flavour::Holds, Verb::Look) => Verb::Extend,
            (Flavour::Queue, Verb::Try) if raw.variant.is_multiple_of(2) => Verb::Wait,
            (_, verb) => verb,
        }
    }

    fn quarters(&self, quarters: u32) -> Duration {
        (self.ttl * quarters / 4).max(MILLI)
    }

    fn think(&self, raw: &Raw) -> Duration {
        if self.profile != Profile::Grid && raw.think.1 == 0 && raw.think.0 > 0 {
            let share = f64::from(raw.random_think) / f64::from(u16::MAX);
            let micros = self.ttl.mul_f64(share * 1.5).as_micros();
            return Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        }
        let (quarters, more) = raw.think;
        let on_grid = self.ttl * quarters / 4;
        if more < 0 { on_grid.saturating_sub(MILLI) } else { on_grid + MILLI * u32::from(more > 0) }
    }

    /// A few calls are dropped: at once, after a moment, after half a ttl.
    fn cut(&self, raw: &Raw) -> Option<Duration> {
        match raw.cut {
            21 => Some(Duration::ZERO),
            22 => Some(MILLI),
            23 => Some(self.ttl / 2),
            _ => None,
        }
    }

    fn key(&self, raw: &Raw) -> u8 {
        if self.flavour == Flavour::SeveralKeys { raw.variant % 2 } else { 0 }
    }

    fn ask(&self, raw: &Raw) -> Ask {
        let ttl = self.quarters(raw.length);
        let plain =
            Ask { keys: 1, sharing: Sharing::Exclusive, permits: 1, ttl, hold: Duration::ZERO };
        match self.flavour {
            Flavour::Exclusive => plain,
            Flavour::Shared | Flavour::Queue => match raw.variant {
                0..4 => plain,
                4..9 if self.flavour == Flavour::Queue => plain,
                _ => Ask { sharing: Sharing::Shared, ..plain },
            },
            Flavour::Limits => match raw.variant {
                0 => plain,
                1..8 => Ask { sharing: Sharing::Limit(2), ..plain },
                8 => Ask { sharing: Sharing::Limit(2), permits: 2, ..plain },
                9 => Ask { sharing: Sharing::Limit(3), ..plain },
                _ => Ask { sharing: Sharing::Shared, ..plain },
            },
            Flavour::Holds => match raw.variant {
                0..4 => Ask { hold: ttl / 2, ..plain },
                4..10 => Ask { hold: ttl, ..plain },
                _ => plain,
            },
            Flavour::SeveralKeys => match raw.variant {
                0..4 => Ask { keys: 3, ..plain },
                4..8 => plain,
                _ => Ask { keys: 2, ..plain },
            },
        }
    }
}
