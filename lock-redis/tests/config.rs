//! One set of settings, filled by a builder, from variables or by serde, and checked once.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

use std::{collections::BTreeMap, time::Duration};

use leasehold::ErrorKind;
use leasehold_redis::{RedisConfig, UnsafeSettings};

const URL: &str = "redis://127.0.0.1:1/";

/// Every setting, by its variable, and a value that is not the default.
const ALL: [(&str, &str); 12] = [
    ("PREFIX", "shop"),
    ("LANES", "3"),
    ("RESPONSE_TIMEOUT", "250ms"),
    ("CONNECTION_TIMEOUT", "2s"),
    ("USER_TIMEOUT", "6s"),
    ("TOMBSTONE_TTL", "1m"),
    ("RETENTION", "2days"),
    ("TICKET_TTL", "4s"),
    ("MAX_TTL", "90s"),
    ("QUARANTINE", "false"),
    ("QUARANTINE_MARGIN", "5s"),
    ("UNSAFE_SETTINGS", "warn"),
];

fn built() -> RedisConfig {
    RedisConfig::new(URL)
        .prefix("shop")
        .lanes(3)
        .response_timeout(Duration::from_millis(250))
        .connection_timeout(Duration::from_secs(2))
        .user_timeout(Duration::from_secs(6))
        .tombstone_ttl(Duration::from_secs(60))
        .retention(Duration::from_secs(2 * 86_400))
        .ticket_ttl(Duration::from_secs(4))
        .max_ttl(Duration::from_secs(90))
        .without_quarantine()
        .quarantine_margin(Duration::from_secs(5))
        .unsafe_settings(UnsafeSettings::Warn)
}

fn from(variables: &[(&str, &str)]) -> leasehold::Result<RedisConfig> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    RedisConfig::new(URL).variables(|name| variables.get(name).map(ToString::to_string))
}

#[test]
fn variables_fill_every_setting_as_the_builder_does() {
    assert_eq!(format!("{:?}", from(&ALL).unwrap()), format!("{:?}", built()));
    assert_eq!(format!("{:?}", from(&[]).unwrap()), format!("{:?}", RedisConfig::new(URL)));
    // Each of them shows, so that the first comparison means something.
    for (name, value) in ALL.into_iter().filter(|(name, _)| *name != "QUARANTINE_MARGIN") {
        let one = format!("{:?}", from(&[(name, value)]).unwrap());
        assert_ne!(one, format!("{:?}", RedisConfig::new(URL)), "{name} changes nothing");
    }
}

#[test]
fn a_url_from_a_variable_is_checked_and_never_shown() {
    let config = from(&[("URL", "nonsense://:Zeus9secret@host")]).unwrap();
    assert!(!format!("{config:?}").contains("Zeus9"));
    let error = config.validate().unwrap_err();
    assert!(error.to_string().contains("invalid url"), "{error}");
    assert!(!format!("{error:?}").contains("Zeus9"), "{error:?}");
}

#[test]
fn a_variable_that_cannot_be_read_is_named_and_not_shown() {
    for (name, _) in ALL.into_iter().filter(|(name, _)| *name != "PREFIX") {
        let error = from(&[(name, "7Zeus9secret")]).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let begin = format!("invalid {}: must be ", name.to_lowercase());
        assert!(error.to_string().starts_with(&begin), "{error}");
        assert!(error.to_string().ends_with("value=`12 bytes, not shown`"), "{error}");
        assert!(!format!("{error:?}").contains("Zeus9"), "{error:?}");
    }
}

#[test]
fn variables_are_checked_like_everything() {
    for (name, value) in
        [("LANES", "17"), ("PREFIX", "a{b"), ("RETENTION", "1s"), ("MAX_TTL", "0s")]
    {
        let error = from(&[(name, value)]).unwrap().validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(&name.to_lowercase()), "{error}");
    }
    from(&ALL).unwrap().validate().unwrap();
}

#[cfg(feature = "serde")]
mod serde {
    use super::*;

    fn read(json: &str) -> Result<RedisConfig, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn serde_fills_every_setting_as_the_builder_does() {
        let word = |value: &str| match value {
            "3" | "false" => value.to_owned(),
            text => format!("{text:?}"),
        };
        let fields = ALL.map(|(name, value)| format!("{:?}: {}", name.to_lowercase(), word(value)));
        let json = format!("{{\"url\": {URL:?}, {}}}", fields.join(", "));
        assert_eq!(format!("{:?}", read(&json).unwrap()), format!("{:?}", built()));
        let bare = read(&format!("{{\"url\": {URL:?}}}")).unwrap();
        assert_eq!(format!("{bare:?}"), format!("{:?}", RedisConfig::new(URL)));
    }

    #[test]
    fn serde_refuses_unknown_names_and_a_missing_url_and_validate_the_rest() {
        assert!(read("{}").unwrap_err().to_string().contains("url"));
        let unknown = format!("{{\"url\": {URL:?}, \"lane\": 3}}");
        assert!(read(&unknown).unwrap_err().to_string().contains("lane"));
        let policy = format!("{{\"url\": {URL:?}, \"unsafe_settings\": \"maybe\"}}");
        assert!(read(&policy).is_err());
        let lanes = read(&format!("{{\"url\": {URL:?}, \"lanes\": 99}}")).unwrap();
        assert_eq!(lanes.validate().unwrap_err().kind(), ErrorKind::Invalid);
    }
}
