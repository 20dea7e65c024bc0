//! What is known about the instant now and the ends of leases: differences with bounds.

use smallvec::SmallVec;

use crate::model::lock::Span;

/// Index of the constant zero.
const ZERO: usize = 0;
/// Index of the variable "now".
pub(super) const NOW: usize = 1;

/// All integer points `(now, x2, x3, …)` with `x_i − x_j ≤ bound(i, j)` for each pair, kept closed: every
/// bound is as tight as the others imply. The zone is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    size: usize,
    bounds: SmallVec<[i64; 9]>,
}

impl Zone {
    /// Now is `now`, no leases.
    pub(super) fn at(now: i64) -> Self {
        Self { size: 2, bounds: SmallVec::from_slice(&[0, -now, now, 0]) }
    }

    #[inline]
    fn get(&self, i: usize, j: usize) -> i64 {
        self.bounds[i * self.size + j]
    }

    /// The least value of a variable.
    #[inline]
    pub(super) fn least(&self, var: usize) -> i64 {
        -self.get(ZERO, var)
    }

    /// The greatest value of a variable.
    #[inline]
    pub(super) fn greatest(&self, var: usize) -> i64 {
        self.get(var, ZERO)
    }

    /// Keeps the points with `x_i − x_j ≤ bound`; false (and the zone is garbage) if there are none.
    #[must_use]
    pub(super) fn constrain(&mut self, i: usize, j: usize, bound: i64) -> bool {
        if bound >= self.get(i, j) {
            return true;
        }
        if bound + self.get(j, i) < 0 {
            return false;
        }
        let size = self.size;
        for a in 0..size {
            let to_i = self.get(a, i) + bound;
            for b in 0..size {
                let through = to_i + self.get(j, b);
                let cell = &mut self.bounds[a * size + b];
                if through < *cell {
                    *cell = through;
                }
            }
        }
        true
    }

    /// Keeps the points where `var` lies after now.
    #[must_use]
    pub(super) fn alive(&mut self, var: usize) -> bool {
        self.constrain(NOW, var, -1)
    }

    /// Keeps the points where `var` is not after now.
    #[must_use]
    pub(super) fn over(&mut self, var: usize) -> bool {
        self.constrain(var, NOW, 0)
    }

    /// Keeps the points where `var` lies in `span` after now.
    #[must_use]
    pub(super) fn within(&mut self, var: usize, span: Span) -> bool {
        self.constrain(NOW, var, -span.lo) && self.constrain(var, NOW, span.hi)
    }

    /// Keeps the points where `later ≥ earlier + gap`.
    #[must_use]
    pub(super) fn apart(&mut self, earlier: usize, later: usize, gap: i64) -> bool {
        self.constrain(earlier, later, -gap)
    }

    /// Lets time pass, up to `to` (not before now).
    pub(super) fn elapse(&mut self, to: i64) {
        let size = self.size;
        for j in 0..size {
            if j != NOW {
                self.bounds[NOW * size + j] = to + self.get(ZERO, j);
            }
        }
        for a in 0..size {
            let to_now = self.get(a, NOW);
            for b in 0..size {
                let through = to_now + self.get(NOW, b);
                let cell = &mut self.bounds[a * size + b];
                if through < *cell {
                    *cell = through;
                }
            }
        }
    }

    /// Keeps the points where now is `at`.
    #[must_use]
    pub(super) fn stop(&mut self, at: i64) -> bool {
        self.constrain(ZERO, NOW, -at) && self.constrain(NOW, ZERO, at)
    }

    /// Lets time pass to `at`, where now stops.
    #[must_use]
    pub(super) fn stop_later(&mut self, at: i64) -> bool {
        self.elapse(at);
        self.stop(at)
    }

    /// Puts a new variable at index `at`, somewhere in `span` after now.
    pub(super) fn insert(&mut self, at: usize, span: Span) {
        let size = self.size + 1;
        let old = |i: usize| if i > at { i - 1 } else { i };
        let mut bounds = SmallVec::with_capacity(size * size);
        for i in 0..size {
            for j in 0..size {
                bounds.push(match (i == at, j == at) {
                    (true, true) => 0,
                    (true, false) => span.hi + self.get(NOW, old(j)),
                    (false, true) => self.get(old(i), NOW) - span.lo,
                    (false, false) => self.get(old(i), old(j)),
                });
            }
        }
        *self = Self { size, bounds };
    }

    /// Forgets the variable at index `at`.
    pub(super) fn remove(&mut self, at: usize) {
        let size = self.size - 1;
        let old = |i: usize| if i >= at { i + 1 } else { i };
        let mut bounds = SmallVec::with_capacity(size * size);
        for i in 0..size {
            for j in 0..size {
                bounds.push(self.get(old(i), old(j)));
            }
        }
        *self = Self { size, bounds };
    }

    /// Whether each point of `other` is a point of this zone.
    #[inline]
    pub(super) fn includes(&self, other: &Self) -> bool {
        self.size == other.size
            && self.bounds.iter().zip(&other.bounds).all(|(mine, its)| its <= mine)
    }

    /// The union of both zones, if it is a zone.
    pub(super) fn union(&self, other: &Self) -> Option<Self> {
        let bounds: SmallVec<[i64; 9]> =
            self.bounds.iter().zip(&other.bounds).map(|(a, b)| *a.max(b)).collect();
        let hull = Self { size: self.size, bounds };
        let size = self.size;
        for i in 0..size {
            for j in 0..size {
                if self.get(i, j) == hull.get(i, j) {
                    continue;
                }
                let mut rest = hull.clone();
                if rest.constrain(j, i, -self.get(i, j) - 1) && !other.includes(&rest) {
                    return None;
                }
            }
        }
        Some(hull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_its_ttl_after_an_uncertain_grant() {
        let mut zone = Zone::at(10);
        zone.elapse(14);
        zone.insert(2, Span { lo: 5, hi: 6 });
        assert_eq!((zone.least(2), zone.greatest(2)), (15, 20));
        zone.elapse(30);
        let mut dead = zone.clone();
        assert!(dead.over(2));
        assert_eq!((dead.least(NOW), dead.greatest(NOW)), (15, 30));
        assert!(zone.stop(19) && zone.alive(2));
        assert_eq!((zone.least(2), zone.greatest(2)), (20, 20));
    }

    #[test]
    fn two_leases_of_one_ttl_end_in_grant_order() {
        let mut zone = Zone::at(0);
        zone.elapse(4);
        zone.insert(2, Span { lo: 5, hi: 5 });
        zone.elapse(4);
        zone.insert(3, Span { lo: 5, hi: 5 });
        assert!(!zone.apart(3, 2, 1), "the later grant cannot end before the earlier");
    }

    #[test]
    fn only_convex_unions_are_joined() {
        let point = |at| {
            let mut zone = Zone::at(0);
            zone.insert(2, Span { lo: at, hi: at });
            zone
        };
        assert!(point(3).union(&point(5)).is_none());
        let joined = point(3).union(&point(4)).unwrap();
        assert_eq!((joined.least(2), joined.greatest(2)), (3, 4));
        assert!(joined.includes(&point(4)) && !point(4).includes(&joined));
    }
}
