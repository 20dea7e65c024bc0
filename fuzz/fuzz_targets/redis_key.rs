//! libFuzzer's entry to [`leasehold_fuzz::redis_key`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::redis_key(data));
