//! Configurations as an environment gives them.

use std::{collections::BTreeMap, time::Duration};

use leasehold::{Config, Effect, ErrorKind, Result};

/// Lines of `NAME=value` either are refused with a reason, or make a configuration within its own bounds.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let variables: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
    match build(&variables) {
        Ok(config) => assert_bounds(&config),
        Err(error) => {
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
        }
    }
}

fn build(variables: &BTreeMap<&str, &str>) -> Result<Config> {
    let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    Config::builder().variables(lookup)?.build()
}

/// What every configuration that was built can be relied on for.
fn assert_bounds(config: &Config) {
    let ttl = config.ttl();
    assert!(ttl <= config.max_ttl());
    assert!(ttl.get() >= config.op_timeout().saturating_add(config.drift().of(ttl)));
    assert!(config.op_timeout() <= Duration::from_secs(60));
    let interval = config.renew_interval(ttl);
    assert!(interval > Duration::ZERO && interval < ttl.get() / 2);
    assert!(config.renew_timeout(ttl) > Duration::ZERO);
    assert!(config.renew_timeout(ttl) <= config.op_timeout());
    assert!(config.expiring_before(ttl) < ttl.get());
    assert!(config.max_lifetime().is_none_or(|lifetime| lifetime >= ttl.get()));
}
