//! Adding up what many runs have shown.

use std::ops::AddAssign;

use crate::report::Evidence;

impl AddAssign for Evidence {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.granted += other.granted;
        self.refused += other.refused;
        self.expired += other.expired;
        self.extended += other.extended;
        self.released += other.released;
        self.gone += other.gone;
        self.unknown += other.unknown;
        self.overlap = self.overlap.max(other.overlap);
    }
}
