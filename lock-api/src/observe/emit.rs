//! How a value gets to the recorder, if there is one.
//!
//! Names and labels are constants, so nothing is allocated; without a recorder each call ends at the first look
//! for one. A recorder that is installed late, or for one thread only, is found all the same.

#[cfg(feature = "metrics")]
mod enabled {
    use std::time::Duration;

    use metrics::{Counter, Histogram, Key, KeyName, Label, Level, Metadata, SharedString, Unit};

    use crate::observe::metric::{METRICS, Metric, MetricKind, MetricUnit};

    static METADATA: Metadata<'static> =
        Metadata::new("leasehold", Level::INFO, Some("leasehold::observe"));

    fn key(metric: &Metric, labels: &'static [Label]) -> Key {
        Key::from_static_parts(metric.name, labels)
    }

    /// The labels of a metric: made once, at compile time.
    pub(crate) type Labels = &'static [Label];

    fn counter(metric: &Metric, labels: Labels) -> Counter {
        metrics::with_recorder(|recorder| {
            recorder.register_counter(&key(metric, labels), &METADATA)
        })
    }

    fn histogram(metric: &Metric, labels: Labels) -> Histogram {
        metrics::with_recorder(|recorder| {
            recorder.register_histogram(&key(metric, labels), &METADATA)
        })
    }

    pub(crate) fn count(metric: &Metric, labels: Labels) {
        counter(metric, labels).increment(1);
    }

    /// Counts under labels that are put together here: for failures, which may cost something.
    pub(crate) fn count_failure(metric: &Metric, values: &[&'static str]) {
        let labels = metric.labels.iter().zip(values);
        let labels = labels.map(|((label, _), value)| Label::from_static_parts(label, value));
        let key = Key::from_parts(metric.name, labels.collect::<Vec<_>>());
        metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA)).increment(1);
    }

    pub(crate) fn seconds(metric: &Metric, labels: Labels, value: Duration) {
        histogram(metric, labels).record(value.as_secs_f64());
    }

    pub(crate) fn number(metric: &Metric, value: u32) {
        histogram(metric, &[]).record(f64::from(value));
    }

    pub(crate) fn set_seconds(metric: &Metric, value: Duration) {
        gauge(metric).set(value.as_secs_f64());
    }

    fn gauge(metric: &Metric) -> metrics::Gauge {
        metrics::with_recorder(|recorder| recorder.register_gauge(&key(metric, &[]), &METADATA))
    }

    /// One more for as long as it lives, on the recorder that was there when it began.
    pub(crate) struct OneMore(metrics::Gauge);

    impl OneMore {
        pub(crate) fn of(metric: &Metric) -> Self {
            let gauge = gauge(metric);
            gauge.increment(1);
            Self(gauge)
        }
    }

    impl Drop for OneMore {
        fn drop(&mut self) {
            self.0.decrement(1);
        }
    }

    pub(crate) fn describe() {
        metrics::with_recorder(|recorder| {
            for metric in METRICS {
                let name = KeyName::from_const_str(metric.name);
                let unit = Some(match metric.unit {
                    MetricUnit::Count => Unit::Count,
                    MetricUnit::Seconds => Unit::Seconds,
                });
                let help = SharedString::const_str(metric.help);
                match metric.kind {
                    MetricKind::Counter => recorder.describe_counter(name, unit, help),
                    MetricKind::Gauge => recorder.describe_gauge(name, unit, help),
                    MetricKind::Histogram => recorder.describe_histogram(name, unit, help),
                }
            }
        });
    }

    macro_rules! labels {
        ($($label:literal => $value:literal),*) => {{
            const LABELS: &[metrics::Label] =
                &[$(metrics::Label::from_static_parts($label, $value)),*];
            LABELS
        }};
    }
    pub(crate) use labels;
}

#[cfg(not(feature = "metrics"))]
mod disabled {
    use std::time::Duration;

    use crate::observe::metric::Metric;

    /// Nothing: nobody can listen.
    pub(crate) type Labels = ();

    pub(crate) const fn count(_: &Metric, _: Labels) {}
    pub(crate) const fn count_failure(_: &Metric, _: &[&'static str]) {}
    pub(crate) const fn seconds(_: &Metric, _: Labels, _: Duration) {}
    pub(crate) const fn number(_: &Metric, _: u32) {}
    pub(crate) const fn set_seconds(_: &Metric, _: Duration) {}
    pub(crate) const fn describe() {}

    pub(crate) struct OneMore;

    impl OneMore {
        pub(crate) const fn of(_: &Metric) -> Self {
            Self
        }
    }

    macro_rules! labels {
        ($($label:literal => $value:literal),*) => {
            ()
        };
    }
    pub(crate) use labels;
}

#[cfg(not(feature = "metrics"))]
pub(crate) use disabled::*;
#[cfg(feature = "metrics")]
pub(crate) use enabled::*;
