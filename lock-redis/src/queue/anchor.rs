//! Since when a grant that another's script made is certainly ours.

use std::time::Duration;

use leasehold::Timestamp;

use super::push::Granted;

/// How far apart the two clocks may run, in millionths.
const DRIFT_PPM: u64 = 10_000;

/// An instant of the server's clock tied to a local one that is certainly not after it: the server read its
/// clock for an answer to something sent at `sent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) sent: Timestamp,
    pub(crate) server: u64,
    pub(crate) mark: String,
}

impl Anchor {
    /// A local instant certainly not after the grant, of which we heard at `receipt`.
    ///
    /// The grant came `at − server` after the anchor on the server's clock, so on ours no sooner than that less the
    /// drift. Across an epoch the clocks can't be compared: then it came after `sent`, and that is all.
    pub(crate) fn since(&self, grant: &Granted, receipt: Timestamp) -> Timestamp {
        if grant.mark != self.mark || grant.at < self.server {
            return self.sent.min(receipt);
        }
        let passed = u128::from(grant.at - self.server) * 1_000;
        let slow = passed * u128::from(1_000_000 - DRIFT_PPM) / 1_000_000;
        let slow = Duration::from_nanos(u64::try_from(slow).unwrap_or(u64::MAX));
        (self.sent + slow).min(receipt)
    }
}

#[cfg(test)]
mod tests {
    use leasehold::{FencingToken, Ttl};

    use super::*;

    fn anchor() -> Anchor {
        Anchor { sent: at(1_000), server: 50_000_000, mark: "here".to_owned() }
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn granted(server: u64, mark: &str) -> Granted {
        Granted {
            token: FencingToken::new(1).unwrap(),
            ttl: Ttl::MIN,
            at: server,
            mark: mark.to_owned(),
        }
    }

    #[test]
    fn a_late_push_counts_from_the_grant_not_from_its_receipt() {
        let grant = granted(50_000_000 + 100_000, "here");
        assert_eq!(anchor().since(&grant, at(60_000)), at(1_099));
    }

    #[test]
    fn a_fast_server_clock_never_puts_the_grant_after_its_receipt() {
        let grant = granted(50_000_000 + 10_000_000, "here");
        assert_eq!(anchor().since(&grant, at(1_500)), at(1_500));
    }

    #[test]
    fn across_an_epoch_or_a_step_back_it_counts_from_the_request() {
        assert_eq!(anchor().since(&granted(50_100_000, "there"), at(60_000)), at(1_000));
        assert_eq!(anchor().since(&granted(49_000_000, "here"), at(60_000)), at(1_000));
    }
}
