//! Writing a program.

use std::{fmt, time::Duration};

use crate::generate::program::{Action, Ask, LeaseRef, Program, Sharing, Step};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(link) = self.link {
            write!(f, "link {} {} {} / ", link.seed, Time(link.delay), link.loss)?;
        }
        if self.order != 0 {
            write!(f, "order {} / ", self.order)?;
        }
        let mut between = "";
        for client in &self.clients {
            f.write_str(between)?;
            between = " | ";
            let steps: Vec<_> = client.iter().map(Step::to_string).collect();
            f.write_str(if steps.is_empty() { "-" } else { "" })?;
            f.write_str(&steps.join("; "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.think.is_zero() {
            write!(f, "+{} ", Time(self.think))?;
        }
        match &self.action {
            Action::Try(ask) => write!(f, "try {ask}")?,
            Action::Wait(ask, wait) => write!(f, "wait {ask} {}", Time(*wait))?,
            Action::Again { lease, wait, other } => {
                write!(f, "again {lease}")?;
                if let Some(wait) = wait {
                    write!(f, " {}", Time(*wait))?;
                }
                f.write_str(if *other { " other" } else { "" })?;
            }
            Action::Extend(lease, ttl) => write!(f, "extend {lease} {}", Time(*ttl))?,
            Action::Release(lease) => write!(f, "release {lease}")?,
            Action::Look(key) => write!(f, "look {}", letter(*key))?,
            Action::Revoke(key) => write!(f, "revoke {}", letter(*key))?,
        }
        match self.cut {
            Some(cut) => write!(f, " cut {}", Time(cut)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in (0..8).filter(|key| self.keys & (1 << key) != 0) {
            write!(f, "{}", letter(key))?;
        }
        match self.sharing {
            Sharing::Exclusive => f.write_str(" x")?,
            Sharing::Shared => f.write_str(" s")?,
            Sharing::Limit(limit) => write!(f, " s{limit}")?,
        }
        if self.permits != 1 {
            write!(f, "*{}", self.permits)?;
        }
        write!(f, " {}", Time(self.ttl))?;
        if !self.hold.is_zero() {
            write!(f, " hold {}", Time(self.hold))?;
        }
        Ok(())
    }
}

impl fmt::Display for LeaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.client + 1, "-".repeat(self.back))
    }
}

fn letter(key: u8) -> char {
    char::from(b'a' + key % 8)
}

struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        if micros.is_multiple_of(1_000) {
            write!(f, "{}ms", micros / 1_000)
        } else {
            write!(f, "{micros}us")
        }
    }
}
