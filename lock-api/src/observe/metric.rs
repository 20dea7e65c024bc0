//! Every metric there is: names, units, labels, meanings.

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How values are spread.
    Histogram,
}

/// In what a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// Things.
    Count,
    /// Seconds, with fractions.
    Seconds,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, which begins with `leasehold_`.
    pub name: &'static str,
    /// What it counts.
    pub kind: MetricKind,
    /// In what.
    pub unit: MetricUnit,
    /// Each label and every value that it can have. Never a key, a holder or an id: the number of series is bounded.
    pub labels: &'static [(&'static str, &'static [&'static str])],
    /// What it tells, for people.
    pub help: &'static str,
}

const OPERATIONS: &[&str] = &["acquire", "extend", "renew", "release", "inspect", "list", "revoke"];
const KINDS: &[&str] = &[
    "closed",
    "denied",
    "fence_regressed",
    "foreign",
    "id_reused",
    "internal",
    "invalid",
    "lease_lost",
    "limit_mismatch",
    "timeout",
    "unavailable",
    "unsupported",
];
const OUTCOMES: &[&str] = &["granted", "held", "timeout", "failed", "cancelled"];

macro_rules! metrics {
    ($($constant:ident: $kind:ident $unit:ident $name:literal [$($label:literal $values:expr),*] $help:literal,)*) => {
        $(
            #[doc = $help]
            pub const $constant: Metric = Metric {
                name: $name,
                kind: MetricKind::$kind,
                unit: MetricUnit::$unit,
                labels: &[$(($label, $values)),*],
                help: $help,
            };
        )*
        /// Every metric, in the order of the documentation.
        pub const METRICS: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    ACQUISITIONS: Counter Count "leasehold_acquisitions_total" ["outcome" OUTCOMES]
        "Acquisitions by how they ended: granted, held (one try, in vain), timeout (waited in vain), failed, or cancelled (dropped by the caller).",
    WAIT: Histogram Seconds "leasehold_wait_seconds" ["outcome" OUTCOMES]
        "How long acquisitions took, those that gave up too.",
    CONTENTION: Counter Count "leasehold_contention_total" ["reason" &["lease", "queue", "quarantine"]]
        "Acquisitions that were held or timed out, by what stood in the way.",
    ACQUIRING: Gauge Count "leasehold_acquiring" []
        "Acquisitions under way in this process, those that wait included.",
    QUEUE_AHEAD: Histogram Count "leasehold_queue_ahead" []
        "How many stood ahead of a waiter when it took its place in a key's queue.",
    HANDOFF: Histogram Seconds "leasehold_handoff_seconds" []
        "From the grant of a freed key to a waiter until the waiter knew: at most so long.",
    ACTIVE: Gauge Count "leasehold_active_leases" []
        "Leases that this process holds.",
    HOLD: Histogram Seconds "leasehold_hold_seconds" ["end" &["released", "lost"]]
        "How long leases were held.",
    RENEWALS: Counter Count "leasehold_renewals_total" ["outcome" &["renewed", "lost", "unknown"]]
        "Renewals by the keep-alive, by their answers.",
    RENEW_LAG: Histogram Seconds "leasehold_renew_lag_seconds" []
        "How much later than planned renewals were sent.",
    LOST: Counter Count "leasehold_lost_total" ["cause" &["expired", "refused", "revoked", "shutdown"]]
        "Leases that ended before their holder gave them up.",
    FAILURES: Counter Count "leasehold_failures_total" ["operation" OPERATIONS, "kind" KINDS]
        "Operations that failed, by the kind of the error.",
    UNKNOWN: Counter Count "leasehold_unknown_total" ["operation" OPERATIONS]
        "Failed operations that may have taken effect all the same.",
    REAPED: Counter Count "leasehold_reaped_total" ["outcome" &["released", "not_held", "unconfirmed"]]
        "Guards and acquisitions that were dropped, by what their release in the background came to.",
    QUARANTINES: Counter Count "leasehold_quarantines_total" []
        "Times that a server was found which may have lost data.",
    QUARANTINE: Gauge Seconds "leasehold_quarantine_seconds" []
        "How long the last server was to grant nothing, when it was looked at last; 0 if it may grant.",
    CONNECTS: Counter Count "leasehold_reconnects_total" ["link" &["commands", "subscription"], "outcome" &["connected", "failed"]]
        "Connections made again after one was lost.",
    CLOCK_STEPS: Counter Count "leasehold_clock_steps_total" ["direction" &["forward", "back"]]
        "Steps of a server's wall clock.",
}

/// Bounds for histograms in seconds: from a fast answer to the longest lease.
pub const SECONDS_BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0, 60.0,
];
/// Bounds for histograms of counts.
pub const COUNT_BUCKETS: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1_000.0];
