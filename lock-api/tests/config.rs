//! The configuration: defaults, bounds, and the three ways to fill it.

use std::{collections::BTreeMap, time::Duration};

use leasehold::{Config, ConfigBuilder, DriftAllowance, ErrorKind};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_defaults_are_those_that_the_docs_state() {
    let config = Config::builder().build().unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.ttl().get(), secs(30));
    assert_eq!(config.max_ttl().get(), secs(60));
    assert_eq!((config.wait(), config.op_timeout()), (secs(10), secs(1)));
    assert_eq!(config.drift(), DriftAllowance::default());
    assert!(!config.keep_alive() && config.backoff().is_none());
    assert_eq!(config.renew_interval(config.ttl()), secs(10));
    assert_eq!(config.renew_timeout(config.ttl()), secs(1));
    assert_eq!(config.expiring_before(config.ttl()), ms(7_500));
    assert_eq!(config.holder().pid(), Some(std::process::id()));
}

#[test]
fn every_bound_is_refused_naming_field_value_and_bound() {
    let with = Config::builder;
    let refused: [(ConfigBuilder, &str); 14] = [
        (
            with().ttl(ms(500)),
            "invalid ttl: must be at least op_timeout + drift = 1.007s, value=`500ms`",
        ),
        (with().ttl(secs(61)), "invalid ttl: must be at most max_ttl = 60s, value=`61s`"),
        (with().ttl(Duration::ZERO), "invalid ttl: must be at least 1ms, value=`0ns`"),
        (with().max_ttl(Duration::MAX), "invalid max_ttl: must be at most 30 days"),
        (
            with().op_timeout(Duration::ZERO),
            "invalid op_timeout: must be at least 1ms, value=`0ns`",
        ),
        (with().op_timeout(secs(61)), "invalid op_timeout: must be at most 60s, value=`61s`"),
        (
            with().renew_interval(secs(15)),
            "invalid renew_interval: must be below half the ttl = 15s",
        ),
        (with().renew_interval(Duration::ZERO), "invalid renew_interval: must be above zero"),
        (with().renew_timeout(Duration::ZERO), "invalid renew_timeout: must be above zero"),
        (with().expiring_before(secs(30)), "invalid expiring_before: must be below the ttl = 30s"),
        (with().max_lifetime(secs(29)), "invalid max_lifetime: must be at least the ttl = 30s"),
        (with().drift(500_000, ms(2)), "invalid drift_rate_ppm: must be below 500000"),
        (with().drift(0, secs(30)), "invalid ttl: must be above the drift allowance of 30s"),
        (with().label("a\tb"), "invalid label: must be free of control characters"),
    ];
    for (builder, said) in refused {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().starts_with(said), "{error}\n  should say: {said}");
    }
}

#[test]
fn a_lower_max_ttl_lowers_the_default_ttl_with_it() {
    let config = Config::builder().max_ttl(secs(5)).build().unwrap();
    assert_eq!(config.ttl().get(), secs(5));
}

fn from(variables: &[(&str, &str)]) -> leasehold::Result<Config> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    let lookup = |name: &str| variables.get(name).map(ToString::to_string);
    Config::builder().wait(secs(3)).variables(lookup)?.build()
}

#[test]
fn variables_fill_what_they_name_and_leave_the_rest() {
    let config = from(&[("TTL", "45s"), ("KEEP_ALIVE", "true"), ("LABEL", "w-7")]).unwrap();
    assert_eq!((config.ttl().get(), config.wait()), (secs(45), secs(3)));
    assert!(config.keep_alive());
    assert_eq!(config.holder().label(), Some("w-7"));
    let config = from(&[("DRIFT_RATE_PPM", "500"), ("DRIFT_FIXED", "1ms")]).unwrap();
    assert_eq!(config.drift(), DriftAllowance::new(500, ms(1)).unwrap());
}

#[test]
fn a_variable_that_cannot_be_read_is_named_and_not_shown() {
    for (name, bound) in [
        ("TTL", "a duration such as `30s`"),
        ("OP_TIMEOUT", "a duration such as `30s`"),
        ("DRIFT_RATE_PPM", "a whole number"),
        ("KEEP_ALIVE", "true or false"),
    ] {
        for value in ["Zeus9secret", "-5s", "7Zeus9", "5 Zeus9"] {
            let error = from(&[(name, value)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let field = name.to_lowercase();
            let expected = format!(
                "invalid {field}: must be {bound}, value=`{} bytes, not shown`",
                value.len()
            );
            assert_eq!(error.to_string(), expected);
            assert!(!format!("{error:?}").contains("Zeus9"), "{error:?}");
        }
    }
    let error = from(&[("TTL", "2m")]).unwrap_err().to_string();
    assert!(error.contains("at most max_ttl"), "variables are checked like everything: {error}");
}

#[cfg(feature = "serde")]
mod serde {
    use super::*;

    fn read(json: &str) -> Result<ConfigBuilder, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn serde_fills_the_same_builder_with_durations_as_text() {
        let json = r#"{"ttl": "45s", "wait": "1m 30s", "keep_alive": true, "label": "w-7"}"#;
        let built = Config::builder().ttl(secs(45)).wait(secs(90)).keep_alive(true).label("w-7");
        assert_eq!(read(json).unwrap(), built);
        assert_eq!(read("{}").unwrap().build().unwrap(), Config::default());
    }

    #[test]
    fn serde_refuses_unknown_names_and_build_refuses_bad_values() {
        assert!(read(r#"{"tll": "45s"}"#).unwrap_err().to_string().contains("tll"));
        assert!(read(r#"{"ttl": 45}"#).is_err());
        assert_eq!(
            read(r#"{"ttl": "45m"}"#).unwrap().build().unwrap_err().kind(),
            ErrorKind::Invalid
        );
    }
}
