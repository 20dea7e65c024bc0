//! Bad input is refused where a value is built, with the field and the bound; and no value tells a secret.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use leasehold::{
    AcquireRequest, Effect, Error, ErrorKind, FencingToken, Held, HeldReason, Holder, IntoLockKey,
    LeaseId, Limit, LockKey, Mode, Result, Runtime, Timestamp, Ttl,
};

const ID: LeaseId =
    LeaseId::from_bytes(0xabcd_ef01_2345_6789_abcd_ef01_2345_6789_u128.to_be_bytes());

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, says: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
    assert!(!error.is_retryable());
    assert_eq!(error.to_string(), says);
}

fn key(name: &str) -> LockKey {
    LockKey::new(name).unwrap()
}

fn request() -> AcquireRequest {
    AcquireRequest::new(key("k"), ID, Ttl::new(Duration::from_secs(10)).unwrap())
}

#[test]
fn a_ttl_out_of_bounds_is_refused() {
    refused(Ttl::new(Duration::ZERO), "invalid ttl: must be at least 1ms, value=`0ns`");
    let short = Duration::from_nanos(999_999);
    refused(Ttl::new(short), "invalid ttl: must be at least 1ms, value=`999.999µs`");
    let long = Ttl::MAX.get() + Duration::from_nanos(1);
    let says = "invalid ttl: must be at most 30 days, value=`2592000.000000001s`";
    refused(Ttl::new(long), says);
    assert_eq!(Ttl::try_from(Duration::MAX).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(Ttl::new(Duration::from_millis(1)).unwrap(), Ttl::MIN);
    assert_eq!(Ttl::new(Ttl::MAX.get()).unwrap(), Ttl::MAX);
}

#[test]
fn a_ttl_is_rounded_up_to_a_microsecond_never_down() {
    let ttl = Ttl::new(Duration::from_nanos(1_000_001)).unwrap();
    assert_eq!((ttl.get(), ttl.as_micros()), (Duration::from_micros(1_001), 1_001));
    let whole = Duration::from_micros(1_234_567);
    assert_eq!(Ttl::new(whole).unwrap().get(), whole);
}

#[test]
fn a_bad_key_is_refused() {
    refused(LockKey::new(""), "invalid key: must be at least 1 byte, value=`\"\"`");
    let says = "invalid key: must be at most 512 bytes, value=`513 bytes`";
    refused(LockKey::new("x".repeat(513)), says);
    refused("é".repeat(257).into_lock_key(), &says.replace("513", "514"));
    for character in ['\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}'] {
        let says = format!(
            "invalid key: must be free of control characters, value=`{character:?} at byte 1`"
        );
        refused(LockKey::new(format!("a{character}b")), &says);
    }
}

#[test]
fn an_odd_key_is_a_key() {
    for name in
        ["{", "}x", "{}z}", "*?[]\\", ":f", "%7B", " ", "日本", "e\u{301}", &"x".repeat(512)]
    {
        assert_eq!(key(name).as_str(), name);
        assert_eq!(name.parse::<LockKey>().unwrap(), key(name));
    }
    assert_ne!(key("é"), key("e\u{301}"));
}

#[test]
fn a_prefixed_key_is_checked_as_a_whole() {
    assert_eq!(key("b").prefixed("a:").unwrap(), key("a:b"));
    let long = "x".repeat(512);
    assert_eq!(key("b").prefixed(&long).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(key("b").prefixed("\n").unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn bad_permits_are_refused() {
    let limit = Limit::new(3).unwrap();
    let shared = |permits| request().with_mode(Mode::Shared { limit }, permits);
    refused(shared(0), "invalid permits: must be at least 1, value=`0`");
    refused(shared(4), "invalid permits: must be at most the limit of 3, value=`4`");
    assert_eq!(shared(3).unwrap().permits(), 3);
    refused(
        request().with_mode(Mode::Exclusive, 2),
        "invalid permits: must be 1 for an exclusive lease, value=`2`",
    );
    refused(request().with_mode(Mode::READ, 0), "invalid permits: must be at least 1, value=`0`");
    assert!(request().with_mode(Mode::READ, u32::MAX).is_ok());
    refused(Limit::new(0), "invalid limit: must be at least 1, value=`0`");
}

#[test]
fn a_minimum_hold_is_within_the_ttl() {
    let ttl = request().ttl().get();
    let longer = ttl + Duration::from_nanos(1);
    let says = "invalid min_hold: must be at most the ttl of 10s, value=`10.000000001s`";
    refused(request().with_min_hold(longer), says);
    assert_eq!(request().with_min_hold(Duration::MAX).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(request().with_min_hold(ttl).unwrap().min_hold(), Some(ttl));
    assert_eq!(request().with_min_hold(Duration::ZERO).unwrap().min_hold(), None);
}

#[test]
fn the_keys_of_a_request_are_ordered_unique_and_few() {
    let for_keys =
        |names: &[&str]| AcquireRequest::for_keys(names.iter().map(|name| key(name)), ID, Ttl::MIN);
    refused(for_keys(&[]), "invalid keys: must be at least 1, value=`0`");
    let request = for_keys(&["b", "a", "b"]).unwrap();
    assert_eq!(request.keys(), [key("a"), key("b")]);
    assert_eq!(request.key(), &key("a"));
    let many = |count: usize| {
        let keys = (0..count).map(|number| key(&number.to_string()));
        AcquireRequest::for_keys(keys, ID, Ttl::MIN)
    };
    assert_eq!(many(64).unwrap().keys().len(), 64);
    refused(many(65), "invalid keys: must be at most 64, value=`65`");
}

#[test]
fn renaming_keys_keeps_the_rest_of_a_request() {
    let limit = Limit::new(3).unwrap();
    let request = AcquireRequest::for_keys([key("a"), key("b")], ID, request().ttl()).unwrap();
    let request = request.with_mode(Mode::Shared { limit }, 2).unwrap();
    let request = request.with_min_hold(Duration::from_secs(1)).unwrap();
    let request = request.with_holder(Holder::new("me").unwrap());
    let renamed = request.map_keys(|key| key.prefixed("t:")).unwrap();
    assert_eq!(renamed.keys(), [key("t:a"), key("t:b")]);
    assert_eq!(renamed.map_keys(|key| LockKey::new(&key.as_str()[2..])).unwrap(), request);
    assert!(request.map_keys(|key| key.prefixed("\n")).is_err());
}

#[test]
fn a_bad_holder_is_refused() {
    refused(Holder::new(""), "invalid label: must be at least 1 byte, value=`\"\"`");
    let says = "invalid host: must be at most 256 bytes, value=`257 bytes`";
    refused(Holder::anonymous().with_host("x".repeat(257)), says);
    let says = "invalid label: must be free of control characters, value=`\"a\\tb\"`";
    refused(Holder::new("a\tb"), says);
}

#[test]
fn a_holder_reads_back_what_it_wrote() {
    let named = Holder::new("worker \"7\" | 日本").unwrap();
    for holder in [
        Holder::anonymous(),
        named.clone(),
        named.clone().with_pid(u32::MAX),
        Holder::anonymous().with_host("h").unwrap().with_pid(0),
        named.with_host("web-1").unwrap().with_pid(42),
    ] {
        assert_eq!(Holder::decode(&holder.encode()), holder);
    }
    for nonsense in ["", "\t", "a\tb\tc\td", "\t\t-1", "\n\t\u{0}\tx"] {
        let holder = Holder::decode(nonsense);
        assert_eq!(holder.pid(), None, "{nonsense:?}");
        assert_eq!(Holder::decode(&holder.encode()), holder, "{nonsense:?}");
    }
    assert_eq!(Holder::anonymous().to_string(), "anonymous");
}

#[test]
fn only_what_was_written_reads_back_as_an_id() {
    let hex = ID.expose_hex();
    assert_eq!(hex, "abcdef0123456789abcdef0123456789");
    assert_eq!(LeaseId::from_hex(&hex), Some(ID));
    assert_eq!(LeaseId::from_bytes(ID.expose_bytes()), ID);
    for not_an_id in [
        "",
        &hex[1..],
        &format!("{hex}0"),
        &hex.replace('1', "g"),
        &hex.to_uppercase(),
        &"+f".repeat(16),
        &" f".repeat(16),
        &"é".repeat(16),
    ] {
        assert_eq!(LeaseId::from_hex(not_an_id), None, "{not_an_id}");
    }
}

#[test]
fn an_id_is_never_printed_whole() {
    let secret = ID.expose_hex();
    let held = Held::because(HeldReason::Lease);
    let error = Error::new(ErrorKind::IdReused, Effect::None, "x").with_held(held);
    for printed in [
        ID.to_string(),
        format!("{ID:?}"),
        format!("{ID:#?}"),
        format!("{:?}", request()),
        format!("{error:?} {error}"),
    ] {
        assert!(!printed.contains(&secret[8..16]), "{printed}");
    }
    assert_eq!(ID.to_string(), format!("{}…", &secret[..8]));
}

#[test]
fn ids_drawn_are_different_and_a_seed_decides_them() {
    let draw = |seed| {
        let (runtime, _clock) = Runtime::manual(seed);
        [runtime.lease_id(), runtime.lease_id()]
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1)[0], draw(1)[1]);
    assert_ne!(draw(1), draw(2));
}

#[test]
fn a_token_is_never_zero_and_compares_as_its_number() {
    assert_eq!(FencingToken::new(0), None);
    let [small, large] = [1, u64::MAX].map(|number| FencingToken::new(number).unwrap());
    assert!(small < large);
    assert_eq!((large.get(), large.to_string()), (u64::MAX, u64::MAX.to_string()));
}

#[test]
fn instants_saturate() {
    let end = Timestamp::ORIGIN + Duration::MAX;
    assert_eq!(end, Timestamp::MAX);
    assert_eq!(end + Duration::from_nanos(1), Timestamp::MAX);
    assert_eq!(Timestamp::ORIGIN.since(end), Duration::ZERO);
    assert_eq!(Timestamp::from_nanos(5).before(Duration::from_secs(1)), Timestamp::ORIGIN);
}

#[test]
fn an_error_prints_one_line_with_what_it_knows_and_not_its_source() {
    let held = Held {
        reason: HeldReason::Queue,
        retry_after: Some(Duration::from_millis(5)),
        holders: vec![Holder::new("me").unwrap()],
    };
    let error = Error::new(ErrorKind::Unavailable, Effect::Unknown, "the server said no")
        .with_code("OOM")
        .with_operation("acquire")
        .with_key(&key("k"))
        .with_held(held)
        .with_source("the cause");
    let says = "the server said no, code=`OOM`, operation=`acquire`, key=`k`, reason=`queue`, \
                held_by=`me`, retry_after=`5ms`, effect=`unknown`";
    assert_eq!(error.to_string(), says);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the cause");
    assert_eq!(error.retry_after(), Some(Duration::from_millis(5)));
    assert!(format!("{error:?}").contains("the cause"));
}

#[test]
fn only_what_can_pass_by_itself_is_worth_a_retry() {
    let retryable = [ErrorKind::Timeout, ErrorKind::Unavailable];
    for kind in [
        ErrorKind::Timeout,
        ErrorKind::LeaseLost,
        ErrorKind::Unavailable,
        ErrorKind::Denied,
        ErrorKind::Foreign,
        ErrorKind::IdReused,
        ErrorKind::LimitMismatch,
        ErrorKind::FenceRegressed,
        ErrorKind::Invalid,
        ErrorKind::Unsupported,
        ErrorKind::Closed,
        ErrorKind::Internal,
    ] {
        assert_eq!(kind.is_retryable(), retryable.contains(&kind), "{kind:?}");
        assert!(kind.name().chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'));
    }
}
