//! How a value gets to the recorder, if there is one.
//!
//! Names and labels are constants, so nothing is allocated; without a recorder each call ends at the first look
//! for one. A recorder that is installed late, or for one thread only, is found all the same.

#[cfg(feature = "metrics")]
mod enabled {
    use std::time::Duration;

    use metrics::{Histogram, Key, KeyName, Label, Level, Metadata, SharedString, Unit};

    use crate::observe::metric::{METRICS, Metric, MetricKind, MetricUnit};

    static METADATA: Metadata<'static> =
        Metadata::new("leasehold", Level::INFO, Some("leasehold::observe"));

    /// A metric under certain labels: made, and hashed, at compile time.
    pub(crate) type Series = &'static Key;

    pub(crate) fn count(series: Series) {
        metrics::with_recorder(|recorder| recorder.register_counter(series, &METADATA))
            .increment(1);
    }

    /// Counts under labels that are put together here: for failures, which may cost something.
    pub(crate) fn count_failure(metric: &Metric, values: &[&'static str]) {
        let labels = metric.labels.iter().zip(values);
        let labels = labels.map(|((label, _), value)| Label::from_static_parts(label, value));
        let key = Key::from_parts(metric.name, labels.collect::<Vec<_>>());
        metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA)).increment(1);
    }

    pub(crate) fn seconds(series: Series, value: Duration) {
        histogram(series).record(value.as_secs_f64());
    }

    pub(crate) fn number(series: Series, value: u32) {
        histogram(series).record(f64::from(value));
    }

    fn histogram(series: Series) -> Histogram {
        metrics::with_recorder(|recorder| recorder.register_histogram(series, &METADATA))
    }

    pub(crate) fn set_seconds(series: Series, value: Duration) {
        gauge(series).set(value.as_secs_f64());
    }

    fn gauge(series: Series) -> metrics::Gauge {
        metrics::with_recorder(|recorder| recorder.register_gauge(series, &METADATA))
    }

    /// One more for as long as it lives, on the recorder that was there when it began.
    pub(crate) struct OneMore(metrics::Gauge);

    impl OneMore {
        pub(crate) fn of(series: Series) -> Self {
            let gauge = gauge(series);
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

    macro_rules! series {
        ($metric:ident $(, $label:literal => $value:literal)*) => {{
            static LABELS: &[metrics::Label] =
                &[$(metrics::Label::from_static_parts($label, $value)),*];
            static SERIES: metrics::Key = metrics::Key::from_static_parts(
                $crate::observe::metric::$metric.name,
                LABELS,
            );
            &SERIES
        }};
    }
    pub(crate) use series;
}

#[cfg(not(feature = "metrics"))]
mod disabled {
    use std::time::Duration;

    use crate::observe::metric::Metric;

    /// Nothing: nobody can listen.
    #[derive(Clone, Copy)]
    pub(crate) struct Series;

    pub(crate) const fn count(_: Series) {}
    pub(crate) const fn count_failure(_: &Metric, _: &[&'static str]) {}
    pub(crate) const fn seconds(_: Series, _: Duration) {}
    pub(crate) const fn number(_: Series, _: u32) {}
    pub(crate) const fn set_seconds(_: Series, _: Duration) {}
    pub(crate) const fn describe() {}

    pub(crate) struct OneMore;

    impl OneMore {
        pub(crate) const fn of(_: Series) -> Self {
            Self
        }
    }

    macro_rules! series {
        ($metric:ident $(, $label:literal => $value:literal)*) => {
            $crate::observe::emit::Series
        };
    }
    pub(crate) use series;
}

#[cfg(not(feature = "metrics"))]
pub(crate) use disabled::*;
#[cfg(feature = "metrics")]
pub(crate) use enabled::*;
