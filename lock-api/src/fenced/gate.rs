//! The rule of fencing, pure.

use super::StaleFence;
use crate::{FencingToken, LeaseId};

/// What a holder shows to a resource: its token, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The lease's token.
    pub token: FencingToken,
    /// The lease. Two sides of a split brain can mint equal tokens: then the first one to be seen wins.
    pub owner: LeaseId,
}

/// Whether a fence may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// It may: nobody newer has been here.
    Admitted,
    /// It may not.
    Refused(StaleFence),
}

/// Remembers the newest fence and refuses older ones: a greater token passes, an equal one only from the same
/// owner.
///
/// ```
/// use leasehold::{FencingToken, LeaseId, fenced::{Admission, Fence, FenceGate}};
///
/// let fence = |token, owner| Fence {
///     token: FencingToken::new(token).unwrap(),
///     owner: LeaseId::from_bytes([owner; 16]),
/// };
/// let mut gate = FenceGate::default();
/// assert_eq!(gate.admit(fence(7, 1)), Admission::Admitted);
/// assert_eq!(gate.admit(fence(7, 1)), Admission::Admitted);
/// assert!(matches!(gate.admit(fence(7, 2)), Admission::Refused(_)));
/// assert!(matches!(gate.admit(fence(6, 1)), Admission::Refused(_)));
/// assert_eq!(gate.admit(fence(8, 2)), Admission::Admitted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FenceGate(Option<Fence>);

impl FenceGate {
    /// Lets `fence` pass and remembers it, or refuses it.
    pub fn admit(&mut self, fence: Fence) -> Admission {
        match self.0 {
            Some(newest) if !is_current(fence, newest) => {
                Admission::Refused(StaleFence { shown: fence.token, newest: newest.token })
            }
            _ => {
                self.0 = Some(fence);
                Admission::Admitted
            }
        }
    }

    /// The newest fence seen.
    #[must_use]
    pub const fn newest(&self) -> Option<Fence> {
        self.0
    }
}

fn is_current(fence: Fence, newest: Fence) -> bool {
    fence.token > newest.token || fence == newest
}
