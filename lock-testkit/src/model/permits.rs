//! A semaphore; no time.

use super::{Model, Window};

/// A semaphore with a number of permits.
#[derive(Clone, Copy, Debug)]
pub struct Permits {
    /// How many permits there are.
    pub limit: u32,
}

/// An operation; the number is how many permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitsOp {
    /// Tries to take permits, all or none.
    TryTake(u32),
    /// Gives permits back.
    Give(u32),
}

/// What it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitsRet {
    /// Taken, or given back.
    Done,
    /// There were too few.
    Refused,
}

impl Model for Permits {
    /// Permits taken.
    type State = u32;
    type Op = PermitsOp;
    type Ret = PermitsRet;
    type Part = ();

    fn init(&self) -> u32 {
        0
    }

    fn step(
        &self,
        state: &u32,
        op: &PermitsOp,
        ret: Option<&PermitsRet>,
        _window: Window,
        next: &mut Vec<u32>,
    ) {
        let after = match *op {
            PermitsOp::TryTake(count) => {
                state.checked_add(count).filter(|taken| *taken <= self.limit)
            }
            PermitsOp::Give(count) => state.checked_sub(count),
        };
        match (after, ret) {
            (Some(after), Some(PermitsRet::Done) | None) => next.push(after),
            (None, Some(PermitsRet::Refused) | None) => next.push(*state),
            _ => {}
        }
    }

    fn is_pure(&self, _op: &PermitsOp, ret: &PermitsRet) -> bool {
        *ret == PermitsRet::Refused
    }

    fn same_effect(&self, one: &PermitsOp, other: &PermitsOp) -> bool {
        one == other
    }

    fn part(&self, _op: &PermitsOp) {}
}
