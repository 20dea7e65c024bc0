//! Every bound of the configuration, each with an error that names the field, the value and the bound.

use std::time::Duration;

use super::ConfigBuilder;
use crate::{DriftAllowance, Error, Result, Ttl};

pub(super) fn max_ttl(max_ttl: Duration) -> Result<Ttl> {
    Ttl::named("max_ttl", max_ttl)
}

pub(super) fn op_timeout(timeout: Duration) -> Result<Duration> {
    let value = format_args!("{timeout:?}").to_string();
    if timeout < Duration::from_millis(1) {
        return Err(Error::invalid("op_timeout", value, "at least 1ms"));
    }
    if timeout > Duration::from_secs(60) {
        return Err(Error::invalid("op_timeout", value, "at most 60s"));
    }
    Ok(timeout)
}

/// The default ttl must outlast one operation, or a lease could be over before its grant is known.
pub(super) fn default_ttl(
    ttl: Duration,
    max_ttl: Ttl,
    op_timeout: Duration,
    drift: DriftAllowance,
) -> Result<Ttl> {
    let checked = call_ttl(ttl, max_ttl, drift)?;
    let least = op_timeout.saturating_add(drift.of(checked));
    if ttl < least {
        let bound = format!("at least op_timeout + drift = {least:?}");
        return Err(Error::invalid("ttl", format_args!("{ttl:?}"), bound));
    }
    Ok(checked)
}

/// The ttl of a call must leave something once drift is taken off.
pub(super) fn call_ttl(ttl: Duration, max_ttl: Ttl, drift: DriftAllowance) -> Result<Ttl> {
    let checked = Ttl::new(ttl)?;
    if checked > max_ttl {
        let bound = format!("at most max_ttl = {max_ttl}");
        return Err(Error::invalid("ttl", format_args!("{ttl:?}"), bound));
    }
    let drift = drift.of(checked);
    if drift >= checked.get() {
        let bound = format!("above the drift allowance of {drift:?}");
        return Err(Error::invalid("ttl", format_args!("{ttl:?}"), bound));
    }
    Ok(checked)
}

pub(super) fn renewal(set: &ConfigBuilder, ttl: Ttl) -> Result<()> {
    let half = ttl.get() / 2;
    within(
        "renew_interval",
        set.renew_interval,
        |value| value < half,
        || format!("below half the ttl = {half:?}"),
    )?;
    within("renew_timeout", set.renew_timeout, |_| true, String::new)?;
    within(
        "expiring_before",
        set.expiring_before,
        |value| value < ttl.get(),
        || format!("below the ttl = {ttl}"),
    )?;
    within(
        "max_lifetime",
        set.max_lifetime,
        |value| value >= ttl.get(),
        || format!("at least the ttl = {ttl}"),
    )
}

fn within(
    field: &'static str,
    value: Option<Duration>,
    fits: impl Fn(Duration) -> bool,
    bound: impl Fn() -> String,
) -> Result<()> {
    match value {
        Some(Duration::ZERO) => Err(Error::invalid(field, "0ns", "above zero")),
        Some(value) if !fits(value) => {
            Err(Error::invalid(field, format_args!("{value:?}"), bound()))
        }
        _ => Ok(()),
    }
}
