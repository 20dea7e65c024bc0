//! A call in flight.

use leasehold::LeaseId;

use super::Recording;
use crate::history::{OpId, Outcome};

/// A call in flight: tells the recording if it is dropped before it was answered.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    recording: &'a Recording,
    op: Option<OpId>,
    waits_as: Option<LeaseId>,
}

impl<'a> Pending<'a> {
    pub(super) const fn new(
        recording: &'a Recording,
        op: Option<OpId>,
        waits_as: Option<LeaseId>,
    ) -> Self {
        Self { recording, op, waits_as }
    }

    /// The answer came.
    pub(super) fn answered(mut self, outcome: Outcome) {
        if let Some(op) = self.op.take() {
            self.recording.returned(op, self.waits_as, outcome);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(op) = self.op.take() {
            self.recording.dropped(op, self.waits_as);
        }
    }
}
